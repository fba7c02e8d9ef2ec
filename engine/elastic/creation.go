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

// Creation is what an index is made with when there is none, beside its owner and the type of id. It
// is never changed, so it may be shared. The zero Creation adds nothing.
type Creation struct {
	settings map[string]any // flat, by names without "index."
	mappings map[string]any
}

// NewCreation makes a creation of settings in any of Elasticsearch's spellings, and a mapping.
func NewCreation(settings, mappings map[string]any) (Creation, error) {
	return Creation{}.with(settings, mappings)
}

// With puts a file over c, key by key: a JSON object with settings, mappings or both, or a mapping
// alone. A null takes a key away. The errors say what is wrong in the file.
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
			return c, fmt.Errorf("%s is no object", key)
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
		return nil, fmt.Errorf("line %d: it is no JSON: %w", line, err)
	}
	if err != nil || object == nil || d.More() {
		return nil, errors.New("it is not one JSON object")
	}
	return object, nil
}

func (c Creation) with(settings, mappings map[string]any) (Creation, error) {
	given := map[string]any{}
	if err := flatten(given, "", settings); err != nil {
		return c, err
	}
	out := Creation{settings: maps.Clone(c.settings), mappings: merge(c.mappings, mappings)}
	if out.settings == nil {
		out.settings = map[string]any{}
	}
	for name, value := range given {
		if value != nil {
			out.settings[name] = value
			continue
		}
		maps.DeleteFunc(out.settings, func(k string, _ any) bool { return k == name || strings.HasPrefix(k, name+".") })
	}
	for _, key := range []string{"properties", "_meta"} {
		if _, ok := out.mappings[key].(map[string]any); !ok && out.mappings[key] != nil {
			return c, fmt.Errorf("mappings.%s is no object", key)
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

// flatten brings settings to the form "number_of_shards": 1, whether they were nested or dotted, below
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

// merge puts over on base, object by object, without changing either.
func merge(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range over {
		object, ok := value.(map[string]any)
		if ok {
			below, _ := out[key].(map[string]any)
			value = merge(below, object)
		}
		if value == nil {
			delete(out, key)
			continue
		}
		out[key] = value
	}
	return out
}

// body is the request that makes an index of owner.
func (c Creation) body(owner string) map[string]any {
	mappings := merge(c.mappings, map[string]any{"_meta": map[string]any{markerKey: nil}})
	mappings["_meta"].(map[string]any)[markerKey] = Marker{Owner: owner}
	// An id that looks like a number must not make the field one: later ids may not.
	id := map[string]any{"properties": map[string]any{"id": map[string]any{"type": "keyword"}}}
	body := map[string]any{"mappings": merge(mappings, id)}
	if len(c.settings) > 0 {
		body["settings"] = c.settings
	}
	return body
}

// Lacks lists the analyzers, filters and so on that c would make and ix has not, such as
// "filter de-stem-filter", sorted.
func (ix *Index) Lacks(c Creation) []string {
	lacking := map[string]bool{}
	for setting := range c.settings {
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

// analysisNames lists what is defined in the settings "analysis" of an index, by kind.
func analysisNames(raw json.RawMessage) map[string]map[string]bool {
	var kinds map[string]json.RawMessage
	_ = json.Unmarshal(raw, &kinds) // what has another form defines nothing
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

// embeddedCannot is the type of error of the embedded destination for what only Elasticsearch can do.
const embeddedCannot = "not_implemented_in_embedded"

// refused makes an error of configuration of an answer that says that what an index was to be made
// with is wrong.
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
