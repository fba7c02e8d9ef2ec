package protocol

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

// Configuration is the configuration of a connector: by name, the properties of each field as JSON, its
// value among them. Kibana draws its form from it. The properties are those of
// https://www.elastic.co/guide/en/elasticsearch/reference/8.14/update-connector-configuration-api.html.
//
// Secrets are among the values; printing or logging it shows the names of the fields alone.
type Configuration map[string]json.RawMessage

// UnmarshalJSON reads a configuration; what is no object has no fields. It never fails.
func (c *Configuration) UnmarshalJSON(raw []byte) error {
	*c = Configuration(readObject(raw))
	return nil
}

// Format writes the names of the fields, whatever the verb.
func (c Configuration) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "configuration of "+strings.Join(c.names(), ", "))
}

// LogValue is the names of the fields.
func (c Configuration) LogValue() slog.Value { return slog.AnyValue(c.names()) }

func (c Configuration) names() []string { return slices.Sorted(maps.Keys(c)) }

// Published returns what must be stored for a source with these fields: fields that are missing are
// added, and properties that are missing or of another value are set. Values that are there stay as they
// are, as do fields and properties that are not the source's. A field without properties, of the days
// before there were any, keeps what it holds as its value.
//
// Added are the names of the fields that were missing, sorted; changed reports whether out differs from
// stored, by value of JSON. Stored is not changed.
func Published(specs []field.Spec, stored Configuration) (out Configuration, added []string, changed bool) {
	out = maps.Clone(stored)
	if out == nil {
		out = Configuration{}
	}
	for i := range specs {
		s := &specs[i]
		if !stored.has(s.Name) {
			added = append(added, s.Name)
		}
		properties, differs := repaired(s, stored[s.Name])
		if differs {
			out[s.Name] = mustEncode(properties)
			changed = true
		}
	}
	slices.Sort(added)
	return out, added, changed
}

// repaired returns the properties of a field after those that are stored, and whether they differ.
func repaired(s *field.Spec, stored json.RawMessage) (properties object, differs bool) {
	properties = readObject(stored)
	fresh := properties == nil
	if fresh {
		properties, differs = object{}, true
		if leaf, err := readAny(stored); err == nil && leaf != nil {
			properties["value"] = stored
		}
	}
	for name, want := range propertiesOf(s) {
		got, there := properties[name]
		switch {
		case name == "value" && there: // a person's
		case !there && !fresh && isNull(want): // Elasticsearch's API leaves out what is null
		case !there || !equalJSON(got, want):
			properties[name], differs = want, true
		}
	}
	return properties, differs
}

// Missing lists the fields of specs that are not stored, sorted. One that is null is not.
func (c Configuration) Missing(specs []field.Spec) []string {
	var names []string
	for i := range specs {
		if !c.has(specs[i].Name) {
			names = append(names, specs[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

func (c Configuration) has(name string) bool {
	v, err := readAny(c[name])
	return err == nil && v != nil
}

// Values returns what [field.Parse] takes: the stored values of the fields of specs, numbers as
// [json.Number]. A field that is not stored, or without its value, is absent and gets its preset; one
// that was emptied is empty, so that it gets its default if it is optional. Fields that are not of specs
// are left out.
func (c Configuration) Values(specs []field.Spec) map[string]any {
	out := map[string]any{}
	for i := range specs {
		v, err := readAny(c[specs[i].Name])
		if err != nil || v == nil {
			continue
		}
		if properties, ok := v.(map[string]any); ok {
			if v, ok = properties["value"]; !ok {
				continue
			}
		}
		out[specs[i].Name] = v
	}
	return out
}

// propertiesOf is a field as a new connector has it. It panics when a preset or a constraint cannot be
// written as JSON, which the specs of no source hold.
func propertiesOf(s *field.Spec) object {
	type option struct {
		Label string `json:"label"`
		Value string `json:"value"`
	}
	type dependency struct {
		Field string `json:"field"`
		Value any    `json:"value"`
	}
	type validation struct {
		Type       string `json:"type"`
		Constraint any    `json:"constraint"`
	}
	options, dependencies, validations, restrictions := []option{}, []dependency{}, []validation{}, []string{}
	for _, o := range s.Options {
		options = append(options, option(o))
	}
	for _, d := range s.DependsOn {
		dependencies = append(dependencies, dependency{d.Field, scalar(d.Value)})
	}
	for _, v := range s.Validations {
		validations = append(validations, validation(v))
	}
	if s.Advanced {
		restrictions = append(restrictions, "advanced")
	}
	value := scalar(s.Value)
	if value == nil {
		value = "" // whatever the type: empty
	}
	var tooltip any
	if s.Tooltip != "" {
		tooltip = s.Tooltip
	}
	out := object{}
	for name, v := range map[string]any{
		"label": cmp.Or(s.Label, strings.ToUpper(s.Name)), "value": value, "type": cmp.Or(string(s.Type), string(field.Str)),
		"display": cmp.Or(s.Display, displayOf(s)), "order": s.Order, "required": !s.Optional, "sensitive": s.Sensitive,
		"tooltip": tooltip, "options": options, "default_value": scalar(s.Default), "depends_on": dependencies,
		"validations": validations, "ui_restrictions": restrictions,
	} {
		out[name] = mustEncode(v)
	}
	return out
}

// displayOf is how a form shows a field that does not say it.
func displayOf(s *field.Spec) string {
	switch {
	case len(s.Options) > 0:
		return field.Dropdown
	case s.Type == field.Int || s.Type == field.Float:
		return field.Numeric
	case s.Type == field.Bool:
		return field.Toggle
	}
	return field.Text
}

// scalar is a value of a spec as forms and Elasticsearch's API have it, which know no lists: text with
// commas. A list that would be read differently then stays one.
func scalar(v any) any {
	list, ok := v.([]string)
	if anys, isAny := v.([]any); isAny {
		list, ok = make([]string, len(anys)), true
		for i, member := range anys {
			text, isText := member.(string)
			list[i], ok = text, ok && isText
		}
	}
	if text := strings.Join(list, ", "); ok && slices.Equal(field.SplitList(text), list) {
		return text
	}
	return v
}

func mustEncode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("protocol: a property of a field is not JSON: %v", err))
	}
	return raw
}

// equalJSON compares by value: 1 is 1.0, and the order of properties does not count. What is not JSON
// equals nothing.
func equalJSON(a, b []byte) bool {
	x, errX := readAny(a)
	y, errY := readAny(b)
	return errX == nil && errY == nil && equalValues(x, y)
}

func equalValues(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equalValues)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalValues)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a.String(), b.String())
	}
	switch b.(type) {
	case map[string]any, []any: // not comparable, and not the same
		return false
	}
	return a == b
}

// equalNumbers compares whole numbers of 64 bits by all their digits, and others as floats.
func equalNumbers(a, b string) bool {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return x == y
	}
	f, errF := strconv.ParseFloat(a, 64)
	g, errG := strconv.ParseFloat(b, 64)
	return a == b || errF == nil && errG == nil && f == g
}
