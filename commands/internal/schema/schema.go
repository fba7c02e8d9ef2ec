// Package schema writes the JSON Schema of the configuration file, for editors.
//
// It lists no key: the keys come from the loader ([config.Describe]), the fields of sources from their types, and
// the meanings from docs/CONFIG.md. It is draft-07, the newest one that the YAML language server supports
// completely. Its invariant: it accepts every file that the loader accepts, except one that takes required values
// from the environment.
package schema

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/docs"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// object is an object of JSON.
type object = map[string]any

const draft = "http://json-schema.org/draft-07/schema#"

// Text is a schema in the form that is printed.
func Text(schema object) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil { // it holds only text, numbers, lists and objects
		panic(err)
	}
	return text.String()
}

// File is the schema of the configuration file.
func File(types []source.Type) map[string]any {
	w := &writer{meanings: docs.Keys()}
	root := config.Describe()
	file := w.section(root, "", "#")
	file["$schema"] = draft
	file["title"] = "Configuration of elastic-ingest"
	file["definitions"] = w.definitions(types)
	file["allOf"] = []any{requireDestination()}
	item := find(file, "connectors", "items")
	item["allOf"] = connectorRules(types)
	find(item, "properties", "service_type")["anyOf"] = []any{object{"enum": names(types)}, anyText()}
	return file
}

// Source is the schema of the configuration of one source.
func Source(t source.Type) map[string]any {
	s := fields(t.Fields)
	s["allOf"] = required(t.Fields)
	s["$schema"] = draft
	s["title"] = "Configuration of " + t.Title
	return s
}

// find follows the names of properties, and other keys of a schema.
func find(s object, path ...string) object {
	for _, name := range path {
		if properties, ok := s["properties"].(object); ok && properties[name] != nil {
			s = properties[name].(object)
			continue
		}
		s = s[name].(object)
	}
	return s
}

func names(types []source.Type) []any {
	var out []any
	for i := range types {
		out = append(out, types[i].Name)
	}
	return out
}

// writer writes the schemas of keys.
type writer struct{ meanings map[string]string }

// section is the schema of a section. path is its full name, with a dot at its end, and pointer the JSON pointer
// to it.
func (w *writer) section(k *config.Key, path, pointer string) object {
	properties := object{}
	for _, below := range k.Keys {
		properties[below.Name] = w.key(below, path, pointer+"/properties/"+below.Name)
	}
	s := object{"type": []any{"object", "null"}, "properties": properties, "additionalProperties": false}
	if dotted := w.dotted(k, "", pointer); len(dotted) > 0 {
		s["patternProperties"] = dotted
	}
	if k.Free {
		s["additionalProperties"] = value(&config.Key{Kind: k.Values})
	}
	return s
}

// dotted are the keys of the sections below one, in their dotted form. Patterns, because an editor does not
// suggest them as it would suggest properties.
func (w *writer) dotted(k *config.Key, prefix, pointer string) object {
	out := object{}
	for _, below := range k.Keys {
		name, at := prefix+regexp.QuoteMeta(below.Name), pointer+"/properties/"+below.Name
		if prefix != "" {
			out["^"+name+"$"] = object{"$ref": at}
		}
		switch below.Kind {
		case config.Sections:
			out["^"+name+`\.[0-9]+\.`] = object{}
		case config.Section:
			if below.Free {
				out["^"+name+`\.`] = object{"$ref": at + "/additionalProperties"}
			}
			maps.Copy(out, w.dotted(below, name+`\.`, at))
		}
	}
	return out
}

// key is the schema of one key, with its meaning and default.
func (w *writer) key(k *config.Key, path, pointer string) object {
	full := path + k.Name
	var s object
	switch k.Kind {
	case config.Section:
		s = w.section(k, full+".", pointer)
		if k.OrText {
			s["type"] = []any{"object", "string", "number", "boolean", "null"}
		}
	case config.Sections:
		item := w.section(k, full+"[].", pointer+"/items")
		item["type"] = "object"
		if needed := requiredKeys(k); len(needed) > 0 {
			item["required"] = needed
		}
		s = object{"type": []any{"array", "null"}, "items": item}
	default:
		s = value(k)
	}
	if meaning := w.meanings[full]; meaning != "" && meaning != "–" {
		s["description"] = meaning
	}
	if k.Default != "" {
		s["default"] = initial(k)
	}
	return s
}

// requiredKeys are the keys that every member of a list must have. Those of a connector depend on its other
// keys, see connectorRules.
func requiredKeys(k *config.Key) (keys []any) {
	if k.Name == "connectors" {
		return nil
	}
	for _, below := range k.Keys {
		if below.Required {
			keys = append(keys, below.Name)
		}
	}
	return keys
}

// initial is the default of a key in its own type, for editors that insert it.
func initial(k *config.Key) any {
	switch k.Kind {
	case config.Boolean:
		return k.Default == "true"
	case config.Integer, config.Number:
		if n, err := strconv.ParseFloat(k.Default, 64); err == nil {
			return n
		}
	}
	return k.Default
}

// value is the schema of a value.
func value(k *config.Key) object {
	switch k.Kind {
	case config.Text, config.SecretOf:
		return object{"type": []any{"string", "number", "boolean", "null"}}
	case config.Choice:
		words := k.Choices
		return anyOf(object{"enum": list(words)}, matching(`^\s*(`+anyCase(append(slices.Clip(words), k.Synonyms...))+`)?\s*$`))
	case config.Boolean:
		return anyOf(object{"type": "boolean"}, object{"enum": []any{0, 1}}, matching(`^\s*(`+anyCase([]string{"true", "false", "yes", "no", "y", "n", "on", "off", "1", "0"})+`)?\s*$`))
	case config.Integer:
		return anyOf(object{"type": "integer", "minimum": k.Least, "maximum": k.Most}, matching(`^\s*([-+]?[0-9][0-9A-Fa-fxXoO_]*)?\s*$`))
	case config.Number:
		return anyOf(object{"type": "number", "minimum": k.Least, "maximum": k.Most}, matching(`^\s*([-+]?[0-9.]+([eE][-+]?[0-9]+)?%?)?\s*$`))
	case config.Duration:
		return anyOf(object{"type": "number", "minimum": k.Least, "maximum": k.Most}, matching(`^\s*(\+?([0-9.]+(ns|us|µs|μs|ms|s|m|h))+|\+?[0-9.]+([eE][-+]?[0-9]+)?)?\s*$`))
	case config.Size:
		return anyOf(object{"type": "number", "minimum": k.Least, "maximum": k.Most}, matching(`^\s*(\+?[0-9.]+([eE][-+]?[0-9]+)?\s*([KkMmGgTt][Ii]?[Bb]|[Bb])?)?\s*$`))
	case config.Words:
		return object{"type": []any{"array", "string", "number", "boolean", "null"}, "items": object{"type": []any{"string", "number", "boolean"}}}
	case config.Command:
		return object{"type": []any{"array", "null"}, "items": object{"type": []any{"string", "number", "boolean"}}}
	}
	return object{}
}

// anyOf is a schema of alternatives, to which a missing value and a variable are added. A variable may stand
// wherever text may, and its value is not known.
func anyOf(alternatives ...object) object {
	all := []any{}
	for _, a := range alternatives {
		all = append(all, a)
	}
	return object{"anyOf": append(all, object{"type": "null"}, matching(`\$\{`))}
}

func matching(pattern string) object { return object{"type": "string", "pattern": pattern} }

func anyText() object { return object{"type": []any{"string", "number", "boolean", "null"}} }

func list[T any](members []T) []any {
	out := make([]any, len(members))
	for i, m := range members {
		out[i] = m
	}
	return out
}

// anyCase is a pattern for words in any case: the dialect of JSON Schema has no flag for it.
func anyCase(words []string) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, r := range word {
			upper, lower := strings.ToUpper(string(r)), strings.ToLower(string(r))
			if upper == lower {
				b.WriteString(regexp.QuoteMeta(string(r)))
			} else {
				b.WriteString("[" + upper + lower + "]")
			}
		}
	}
	return b.String()
}
