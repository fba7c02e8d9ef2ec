package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// configuration reads the fields of a source unchanged: only the source knows
// which fields exist, and their types.
func (l *loader) configuration(o *object, c *Connector) {
	o.free(Anything)
	for _, e := range o.pairs() {
		value, ok := l.value(e.value, o.key(e.key), wholeSyntax)
		if !ok {
			continue
		}
		if c.Configuration == nil {
			c.Configuration = Configuration{}
		}
		c.Configuration[e.key] = value
		c.origin.places[e.key] = e.at
		o.note(e.key, field.Hidden, e.value)
	}
}

// value converts a node for [field.Parse] and encoding/json. A number
// whose spelling would be lost, such as 007 or 1.10, stays text: in a password
// the spelling matters, and a field of another type can parse the text.
func (l *loader) value(n *node, key string, form syntaxOf) (any, bool) {
	switch n.kind {
	case null:
		return nil, true
	case boolean:
		return strings.EqualFold(n.text, "true"), true
	case number:
		return numberValue(n.text), true
	case list:
		out := make([]any, 0, len(n.list))
		for i, member := range n.list {
			v, ok := l.value(member, fmt.Sprintf("%s[%d]", key, i), form)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case section:
		out := map[string]any{}
		for _, e := range l.object(key, n).pairs() {
			v, ok := l.value(e.value, key+"."+e.key, form)
			if !ok {
				return nil, false
			}
			out[e.key] = v
		}
		return out, true
	}
	s, ok := l.expand(n, key, form)
	return s, ok
}

func numberValue(s string) any {
	if i, err := strconv.Atoi(s); err == nil && strconv.Itoa(i) == s {
		return i
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(i, 10) == s {
		return i
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && strconv.FormatFloat(f, 'g', -1, 64) == s && !strings.ContainsAny(s, "nNI") {
		return f
	}
	return s
}

// ResolveConfiguration prepares a connector's configuration for
// [field.Parse]: for a sensitive field k it fetches the secret of k_file or
// k_command, and makes relative values of path fields absolute, relative to
// the folder of the configuration file. The connector's own values stay
// unchanged.
func (c Connector) ResolveConfiguration(ctx context.Context, specs []field.Spec) (map[string]any, error) {
	out := map[string]any{}
	maps.Copy(out, c.Configuration)
	if c.origin == nil { // created by hand, not by Load
		return out, nil
	}
	var errs Errors
	for _, spec := range specs {
		if spec.Sensitive {
			if err := c.resolveSecret(ctx, spec, specs, out); err != nil {
				errs = append(errs, err)
			}
		}
		if path, ok := out[spec.Name].(string); ok && spec.Path && path != "" {
			out[spec.Name] = absolute(c.origin.dir, path)
		}
	}
	if len(errs) > 0 {
		return nil, errs.sorted()
	}
	return out, nil
}

func (c Connector) resolveSecret(ctx context.Context, spec field.Spec, specs []field.Spec, out map[string]any) *Error {
	var given []string
	for _, key := range []string{spec.Name, spec.Name + "_file", spec.Name + "_command"} {
		isField := slices.ContainsFunc(specs, func(s field.Spec) bool { return s.Name == key })
		if v, ok := out[key]; ok && v != nil && (key == spec.Name || !isField) {
			given = append(given, key)
		}
	}
	given = c.preferEnvironment(given, out)
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == spec.Name:
		return nil
	case len(given) > 1:
		return c.failure(given[1], "is given beside "+given[0], "keep one")
	}
	key := given[0]
	value := out[key]
	delete(out, key)
	var s string
	var err error
	if strings.HasSuffix(key, "_file") {
		path, ok := value.(string)
		if !ok {
			return c.failure(key, "must be the name of a file", "")
		}
		s, err = c.origin.secretFile(path)
	} else {
		argv, ok := texts(value)
		if !ok {
			return c.failure(key, "must be a list of text: a program and its arguments", "it runs without a shell")
		}
		s, err = c.origin.command(ctx, argv)
	}
	switch {
	case err != nil:
		return c.failure(key, err.Error(), "")
	case s == "":
		return c.failure(key, "gives an empty secret", "")
	}
	out[spec.Name] = s
	return nil
}

// preferEnvironment drops, from the keys that give one secret, those of the
// file when one comes from the environment.
func (c Connector) preferEnvironment(given []string, out map[string]any) []string {
	ofFile := func(key string) bool { return !c.origin.places[key].fromEnvironment() }
	if !slices.ContainsFunc(given, func(key string) bool { return !ofFile(key) }) {
		return given
	}
	return slices.DeleteFunc(given, func(key string) bool {
		if ofFile(key) {
			delete(out, key)
		}
		return ofFile(key)
	})
}

func (c Connector) failure(key, problem, hint string) *Error {
	who := c.Name
	if who == "" {
		who = c.ConnectorID
	}
	return c.origin.failure(c.origin.places[key], who+": configuration."+key, problem, hint)
}

// texts reads a command: a list of text, or the same as JSON in a variable.
func texts(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return jsonWords(s)
	}
	members, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, 0, len(members))
	for _, m := range members {
		switch m := m.(type) {
		case string:
			out = append(out, m)
		case int:
			out = append(out, strconv.Itoa(m))
		default:
			return nil, false
		}
	}
	return out, true
}
