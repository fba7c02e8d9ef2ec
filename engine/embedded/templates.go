package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// template is a dynamic template.
type template struct {
	kinds                                  []string // match_mapping_type; empty: all
	match, unmatch, pathMatch, pathUnmatch []string
	mapping                                map[string]any
}

func parseTemplates(raw any) ([]template, error) {
	list, _ := raw.([]any)
	var out []template
	for _, one := range list {
		named, _ := one.(map[string]any)
		if len(named) != 1 {
			return nil, mappingProblem("A dynamic template must be defined with a name")
		}
		for name, body := range named {
			t, err := parseTemplate(name, body)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func parseTemplate(name string, raw any) (t template, err error) {
	body, _ := raw.(map[string]any)
	for key, value := range body {
		switch key {
		case "mapping":
			t.mapping, _ = value.(map[string]any)
		case "match_mapping_type":
			t.kinds = stringsOf(value)
		case "match":
			t.match = stringsOf(value)
		case "unmatch":
			t.unmatch = stringsOf(value)
		case "path_match":
			t.pathMatch = stringsOf(value)
		case "path_unmatch":
			t.pathUnmatch = stringsOf(value)
		default:
			return t, unknown("[%s] of the dynamic template [%s]", key, name)
		}
	}
	if t.mapping == nil {
		return t, mappingProblem("template [%s] must have either mapping or runtime set", name)
	}
	if slices.Contains(t.kinds, "object") || len(t.kinds) == 0 || slices.Contains(t.kinds, "*") {
		return t, unknown("the dynamic template [%s] for objects", name)
	}
	if err := checkFields(map[string]any{name: join(map[string]any{"type": "text"}, withoutPlaceholder(t.mapping))}); err != nil {
		return t, err
	}
	return t, nil
}

func withoutPlaceholder(def map[string]any) map[string]any {
	if def["type"] != "{dynamic_type}" {
		return def
	}
	out := maps.Clone(def)
	delete(out, "type")
	return out
}

// stringsOf reads a text or a list of texts.
func stringsOf(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = fmt.Sprint(one)
	}
	return out
}

// applies reports whether the template is for a field with this name.
func (t *template) applies(kind, name, path string) bool {
	matches := func(patterns []string, s string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return glob(p, s) })
	}
	return slices.Contains(t.kinds, kind) &&
		(t.match == nil || matches(t.match, name)) && !matches(t.unmatch, name) &&
		(t.pathMatch == nil || matches(t.pathMatch, path)) && !matches(t.pathUnmatch, path)
}

// guess is the definition that a new field gets from its first value. templated reports that it comes from a
// template.
func (sh *shape) guess(raw []byte, name, path string) (def map[string]any, templated bool) {
	kind, typ := "double", "float"
	switch {
	case raw[0] == '"':
		kind, typ = "string", "text"
	case isBoolean(raw):
		kind, typ = "boolean", "boolean"
	case !bytes.ContainsAny(raw, ".eE"):
		kind, typ = "long", "long"
	}
	for i := range sh.templates {
		if t := &sh.templates[i]; t.applies(kind, name, path) {
			def = maps.Clone(t.mapping)
			if def["type"] == nil || def["type"] == "{dynamic_type}" {
				def["type"] = typ
			}
			return def, true
		}
	}
	if kind == "string" {
		return map[string]any{"type": "text", "fields": map[string]any{"keyword": map[string]any{"type": "keyword", "ignore_above": json.Number("256")}}}, false
	}
	return map[string]any{"type": typ}, false
}
