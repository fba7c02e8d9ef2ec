package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Creation holds the settings and mapping of a new index, in addition to its owner and the type of id. It
// is never changed, so it may be shared. The zero Creation adds nothing. A null in it removes a key
// from a creation below it, see [Creation.Over].
type Creation struct {
	settings map[string]any // flat, by names without "index."
	mappings map[string]any
	optional []string // settings that are left out if the server does not have them
}

// NewCreation creates a creation from settings in any of Elasticsearch's forms, and a mapping.
func NewCreation(settings, mappings map[string]any) (Creation, error) {
	return Creation{}.with(settings, mappings)
}

// With puts a file over c, key by key: a JSON object with settings, mappings or both, or a mapping
// alone. A null removes a key. The errors say what is wrong in the file.
func (c Creation) With(file []byte) (Creation, error) {
	top, err := decodeObject(file)
	if err != nil {
		return c, err
	}
	if _, bare := top["properties"]; bare {
		top = map[string]any{"mappings": top}
	}
	parts := map[string]map[string]any{"mappings": nil, "settings": nil}
	for _, key := range slices.Sorted(maps.Keys(top)) {
		if _, known := parts[key]; !known {
			return c, fmt.Errorf("%q is neither mappings nor settings", key)
		}
		object, ok := top[key].(map[string]any)
		if !ok {
			return c, fmt.Errorf("%s is not an object", key)
		}
		parts[key] = object
	}
	return c.with(parts["settings"], parts["mappings"])
}

// decodeObject reads one JSON object, numbers as they are written.
func decodeObject(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	d.UseNumber()
	var object map[string]any
	err := d.Decode(&object)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(raw[:min(int(syntax.Offset), len(raw))], []byte("\n"))
		return nil, fmt.Errorf("line %d: invalid JSON: %w", line, err)
	}
	if err != nil || object == nil || d.More() {
		return nil, errors.New("it is not a single JSON object")
	}
	return object, nil
}

func (c Creation) with(settings, mappings map[string]any) (Creation, error) {
	given := map[string]any{}
	if err := flatten(given, "", settings); err != nil {
		return c, err
	}
	out := Creation{settings: overlay(c.settings, given), mappings: merge(c.mappings, mappings), optional: c.optional}
	for _, key := range []string{"properties", "_meta"} {
		if _, ok := out.mappings[key].(map[string]any); !ok && out.mappings[key] != nil {
			return c, fmt.Errorf("mappings.%s is not an object", key)
		}
	}
	properties, _ := out.mappings["properties"].(map[string]any)
	if id, given := properties["id"]; given {
		if field, _ := id.(map[string]any); field["type"] != "keyword" {
			return c, errors.New("mappings.properties.id must have the type keyword")
		}
	}
	return out, nil
}

// Over puts c over the program's own creation: c wins, key by key. A field that c maps is mapped completely as
// c says; dynamic templates of base come after those of c. optional are the settings of base, by
// names without "index.", that are left out if the server does not have them.
func (c Creation) Over(base Creation, optional []string) Creation {
	out := Creation{settings: overlay(base.settings, c.settings), mappings: merge(base.mappings, c.mappings), optional: slices.Clone(c.optional)}
	for _, name := range optional {
		if _, given := c.settings[name]; !given {
			out.optional = append(out.optional, name)
		}
	}
	if ours, ok := base.mappings["properties"].(map[string]any); ok {
		theirs, _ := c.mappings["properties"].(map[string]any)
		out.mappings["properties"] = mergeFields(ours, theirs)
	}
	ours, _ := base.mappings["dynamic_templates"].([]any)
	if theirs, ok := c.mappings["dynamic_templates"].([]any); ok && len(ours) > 0 {
		out.mappings["dynamic_templates"] = slices.Concat(theirs, ours)
	}
	return out
}

// mergeFields is merge for the properties of a mapping: a field that has a type, or is not enabled,
// replaces everything in its place, because an object's properties mean nothing to another type.
func mergeFields(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for name, value := range over {
		field, _ := value.(map[string]any)
		below, _ := out[name].(map[string]any)
		members, hasMembers := field["properties"].(map[string]any)
		_, typed := field["type"]
		_, switched := field["enabled"]
		if below["properties"] == nil || !hasMembers || typed || switched {
			out[name] = value
			continue
		}
		merged := merge(below, field)
		merged["properties"] = mergeFields(below["properties"].(map[string]any), members)
		out[name] = merged
	}
	return out
}

// FieldLimit is how many fields the new index allows, minus those that it is created with anyway.
func (c Creation) FieldLimit() int {
	limit := defaultFields
	if v, ok := c.settings["mapping.total_fields.limit"]; ok {
		limit = number(fmt.Sprint(v), defaultFields)
	}
	m := Mapping{room: limit, types: map[string]string{}, below: map[string]bool{}, vectors: map[string]bool{}}
	var fields map[string]mappedField
	raw, err := json.Marshal(c.body(Marker{})["mappings"].(map[string]any)["properties"]) // with id
	if err == nil && json.Unmarshal(raw, &fields) == nil {
		m.add("", "", fields)
	}
	return m.Room()
}

// Fields is how many fields the new index maps, objects and sub-fields not counted.
func (c Creation) Fields() int64 {
	properties, _ := c.body(Marker{})["mappings"].(map[string]any)["properties"].(map[string]any)
	return leaves(properties)
}

// leaves counts the fields of a mapping that are not objects.
func leaves(properties map[string]any) (n int64) {
	for _, v := range properties {
		field, _ := v.(map[string]any)
		if below, ok := field["properties"].(map[string]any); ok {
			n += leaves(below)
		} else {
			n++
		}
	}
	return n
}

// TextMapping is the mapping of a text field by c's own dynamic templates; nil if there is none.
func (c Creation) TextMapping() map[string]any {
	templates, _ := c.mappings["dynamic_templates"].([]any)
	for _, t := range templates {
		named, _ := t.(map[string]any)
		for _, v := range named {
			template, _ := v.(map[string]any)
			if mapping, ok := template["mapping"].(map[string]any); ok && template["match_mapping_type"] == "string" && len(template) == 2 {
				return mapping
			}
		}
	}
	return nil
}

// Maps reports whether c itself maps the field of a dotted path, or an object above it that has no
// members.
func (c Creation) Maps(path string) bool {
	properties, _ := c.mappings["properties"].(map[string]any)
	for name := range strings.SplitSeq(path, ".") {
		field, ok := properties[name].(map[string]any)
		if !ok {
			return false
		}
		if properties, ok = field["properties"].(map[string]any); !ok {
			return true
		}
	}
	return false
}

// without is c without the setting that a server's error names.
func (c Creation) without(reason string) (less Creation, name string) {
	for i, name := range c.optional {
		if strings.Contains(reason, name) {
			less = c
			less.settings = maps.Clone(c.settings)
			delete(less.settings, name)
			less.optional = slices.Delete(slices.Clone(c.optional), i, i+1)
			return less, name
		}
	}
	return c, ""
}

// flatten converts settings to the form "number_of_shards": 1, whether they were nested or dotted, below
// "index" or not.
func flatten(out map[string]any, prefix string, in map[string]any) error {
	for key, value := range in {
		name := strings.TrimPrefix(prefix+key, "index.")
		if below, ok := value.(map[string]any); ok {
			if prefix+key == "index" {
				name = ""
			} else {
				name += "."
			}
			if err := flatten(out, name, below); err != nil {
				return err
			}
			continue
		}
		if _, twice := out[name]; twice {
			return fmt.Errorf("the setting %s is given twice, with index. and without", name)
		}
		out[name] = value
	}
	return nil
}

// copied is a copy of a map, which may be nil.
func copied(m map[string]any) map[string]any {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	return out
}

// overlay puts flat settings over others. A null stays, so that it also removes a setting that is put below it
// later; settings below its name are removed.
func overlay(base, over map[string]any) map[string]any {
	out := copied(base)
	for name, value := range over {
		if value == nil {
			maps.DeleteFunc(out, func(k string, _ any) bool { return strings.HasPrefix(k, name+".") })
		}
		out[name] = value
	}
	return out
}

// merge puts over on base, object by object, without changing either. A null stays, see [overlay].
func merge(base, over map[string]any) map[string]any {
	out := copied(base)
	for key, value := range over {
		object, ok := value.(map[string]any)
		if ok {
			below, _ := out[key].(map[string]any)
			value = merge(below, object)
		}
		out[key] = value
	}
	return out
}

// pruned is an object without its null members.
func pruned(object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for key, value := range object {
		switch v := value.(type) {
		case nil:
		case map[string]any:
			out[key] = pruned(v)
		default:
			out[key] = value
		}
	}
	return out
}

// body is the request that creates an index with a marker.
func (c Creation) body(m Marker) map[string]any {
	mappings := merge(c.mappings, map[string]any{"_meta": map[string]any{markerKey: nil}})
	// An id that looks like a number must not make the field numeric: later ids may not be numbers.
	mappings = pruned(merge(mappings, map[string]any{"properties": map[string]any{"id": map[string]any{"type": "keyword"}}}))
	mappings["_meta"].(map[string]any)[markerKey] = m
	body := map[string]any{"mappings": mappings}
	if settings := pruned(c.settings); len(settings) > 0 {
		body["settings"] = settings
	}
	return body
}

// Lacks lists the analyzers, filters and so on that c would create and ix does not have, such as
// "filter de-stem-filter", sorted.
func (ix *Index) Lacks(c Creation) []string {
	lacking := map[string]bool{}
	for setting, value := range c.settings {
		if value == nil {
			continue
		}
		rest, ok := strings.CutPrefix(setting, "analysis.")
		if !ok {
			continue
		}
		kind, name, _ := strings.Cut(rest, ".")
		name, _, _ = strings.Cut(name, ".")
		if !ix.analysis[kind][name] {
			lacking[kind+" "+name] = true
		}
	}
	return slices.Sorted(maps.Keys(lacking))
}

// analysisNames lists the definitions in the settings "analysis" of an index, by kind.
func analysisNames(raw json.RawMessage) map[string]map[string]bool {
	var kinds map[string]json.RawMessage
	_ = json.Unmarshal(raw, &kinds) // any other form defines nothing
	out := map[string]map[string]bool{}
	for kind, raw := range kinds {
		var defined map[string]json.RawMessage
		_ = json.Unmarshal(raw, &defined)
		out[kind] = map[string]bool{}
		for name := range defined {
			out[kind][name] = true
		}
	}
	return out
}

// embeddedCannot is the error type of the embedded destination for features that only Elasticsearch has.
const embeddedCannot = "not_implemented_in_embedded"

// refused makes a configuration error of a response that rejects the settings or the mapping of a new
// index.
func (c Creation) refused(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || len(c.settings)+len(c.mappings) == 0 {
		return err
	}
	switch e.Type {
	case "mapper_parsing_exception", "illegal_argument_exception", "settings_exception", "parse_exception", "mapper_exception", embeddedCannot:
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return err
}
