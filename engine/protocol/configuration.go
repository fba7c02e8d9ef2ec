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

// Configuration is the configuration of a connector: by name, the properties of each field as JSON,
// including its value. Kibana draws its form from it. The properties are those of
// https://www.elastic.co/guide/en/elasticsearch/reference/8.14/update-connector-configuration-api.html.
//
// The values include secrets; printing or logging a Configuration shows only the names of its fields.
type Configuration map[string]json.RawMessage

// UnmarshalJSON reads a configuration; anything but an object has no fields. It never fails.
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

// Published returns the configuration to store for a source with these fields. Missing fields are added,
// and missing or different properties are set. Existing values stay unchanged, and so do fields and
// properties that the source does not have. A field without properties, from the time before there were
// any, keeps its content as its value.
//
// added are the names of the fields that were missing, sorted; changed reports whether out differs from
// stored as JSON values. stored itself is not changed.
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

// repaired returns the properties of a field, based on the stored ones, and whether they differ.
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
		case name == "value" && there: // set by a person
		case !there && !fresh && isNull(want): // Elasticsearch's API omits nulls
		case !there || !equalJSON(got, want):
			properties[name], differs = want, true
		}
	}
	return properties, differs
}

// Missing lists the fields of specs that are not stored, sorted. A null field counts as stored.
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

// Values returns the argument of [field.Parse]: the stored values of the fields of specs, numbers as
// [json.Number]. A field that is not stored, or has no value, is absent and gets its initial value; one
// that was emptied is empty, so that it gets its default if it is optional. Other fields are left out.
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

// propertiesOf returns a field's properties in a new connector. It panics if an initial value or a
// constraint cannot be written as JSON, which no source's specs contain.
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
		value = "" // empty, whatever the type
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

// displayOf is the form element for a field that does not set one.
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

// scalar converts a value to the form of Kibana and Elasticsearch's API, which have no lists: text with
// commas. A list that would be read back differently stays a list.
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

// equalJSON compares by value: 1 equals 1.0, and the order of properties does not matter. Invalid JSON
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

// equalNumbers compares 64-bit integers by all their digits, and other numbers as floats.
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
