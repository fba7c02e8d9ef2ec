package document

import (
	"encoding/json"
	"strings"
)

// Lookup finds a field by its name, or else by a dotted path into objects, including raw JSON
// objects. Names are those of the document in the index: "id" is the document's id, and a
// source field with that name is found as "id_", see [Reserved].
func (d *Document) Lookup(path string) (Value, bool) {
	switch path {
	case "id":
		return String(d.ID), true
	case "_timestamp":
		return String(d.Timestamp), d.Timestamp != ""
	}
	return lookup(d.Fields, path, d.writtenName)
}

// lookup prefers the exact name, so that the result does not depend on the order of the fields.
func lookup(fields []Field, path string, written func(string) string) (Value, bool) {
	for i := range fields {
		if written(fields[i].Name) == path {
			return fields[i].Value, true
		}
	}
	for i := range fields {
		rest, ok := strings.CutPrefix(path, written(fields[i].Name)+".")
		if !ok {
			continue
		}
		if v, ok := fields[i].Value.lookup(rest); ok {
			return v, true
		}
	}
	return Value{}, false
}

func (v Value) lookup(path string) (Value, bool) {
	switch v.kind {
	case KindObject:
		return lookup(v.ref.([]Field), path, func(name string) string { return name })
	case KindRaw:
		return lookupRaw(v.str, path)
	}
	return Value{}, false
}

// lookupRaw parses one level of the text; only rules with a path into a JSON column pay for it.
func lookupRaw(text, path string) (Value, bool) {
	if !strings.HasPrefix(text, "{") {
		return Value{}, false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil {
		return Value{}, false
	}
	if v, ok := object[path]; ok {
		return Raw(string(v)), true
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if v, ok := lookupRaw(string(object[path[:i]]), path[i+1:]); ok {
			return v, true
		}
	}
	return Value{}, false
}
