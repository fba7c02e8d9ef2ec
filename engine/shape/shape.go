// Package shape decides the mapping of an index, from the descriptions of fields by the parts of a source:
// the type of each kind of field, the type of a field on which two parts disagree,
// and what an existing mapping lacks or has differently.
//
// It is pure: it accesses neither source nor destination. Its invariant: the outcome depends only on the set of
// described fields, not on the order of the parts. See docs/index-settings.md.
package shape

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// mixed is the kind of a field with different kinds in different parts that no number, date
// or similar kind can hold.
const mixed source.FieldKind = "mixed"

// opaque is the kind of a field that is an object in some parts and a value in others. No field type
// accepts both, so they are stored and not indexed.
const opaque source.FieldKind = "opaque"

// Fields are the kinds of written fields, by name. Members of objects have dotted names.
type Fields map[string]source.FieldKind

// Add unites f with further fields.
func (f Fields) Add(fields []source.DescribedField) {
	for _, d := range fields {
		if had, ok := f[d.Name]; ok {
			f[d.Name] = unite(had, d.Kind)
		} else {
			f[d.Name] = d.Kind
		}
	}
}

// unite is the kind that can hold the values of both. Kinds form a semilattice, so order does not matter.
func unite(a, b source.FieldKind) source.FieldKind {
	switch {
	case a == b:
		return a
	case a == source.Object, b == source.Object, a == opaque, b == opaque:
		return opaque
	case isNumber(a) && isNumber(b):
		if a == source.Decimal || b == source.Decimal {
			return source.Decimal
		}
		return source.Double
	}
	return mixed
}

func isNumber(k source.FieldKind) bool {
	return k == source.Long || k == source.UnsignedLong || k == source.Double || k == source.Decimal
}

// maxKeyword is how many characters of a keyword are indexed: at four bytes each they do not exceed
// Lucene's limit of 32,766 bytes. Longer values stay in _source and are not indexed.
const maxKeyword = 8191

// Options are what field types depend on in addition to their kinds.
type Options struct {
	// Text is the mapping of a text field if one is needed, such as that of a language; nil: Elasticsearch's
	// default.
	Text map[string]any
	// GuessesDates reports that the index maps text that looks like a date as a date, so that text
	// fields are mapped explicitly.
	GuessesDates bool
	// Strict reports that the index rejects malformed values unless the field itself does not.
	Strict bool
	// NoUnsignedLong reports that the destination lacks that type.
	NoUnsignedLong bool
}

// defaultText is the dynamic mapping of a string, see
// https://www.elastic.co/docs/manage-data/data-store/mapping/dynamic-field-mapping.
var defaultText = map[string]any{
	"type": "text", "fields": map[string]any{"keyword": map[string]any{"type": "keyword", "ignore_above": 256}},
}

// mapping is the mapping of a field; nil if dynamic mapping does it.
func (o *Options) mapping(kind source.FieldKind) map[string]any {
	typ := ""
	switch kind {
	case source.Keyword:
		return map[string]any{"type": "keyword", "ignore_above": maxKeyword}
	case source.Binary:
		return map[string]any{"type": "binary"}
	case source.Text:
		if !o.GuessesDates {
			return nil
		}
		return o.text()
	case mixed:
		return o.text()
	case opaque:
		return map[string]any{"type": "object", "enabled": false}
	case source.Long, source.Boolean, source.Date, source.IP:
		typ = string(kind)
	case source.UnsignedLong:
		typ = "unsigned_long"
		if o.NoUnsignedLong {
			typ = "double"
		}
	case source.Double, source.Decimal:
		typ = "double"
	default:
		return nil
	}
	field := map[string]any{"type": typ}
	if o.Strict {
		field["ignore_malformed"] = true
	}
	return field
}

func (o *Options) text() map[string]any {
	if o.Text != nil {
		return o.Text
	}
	return defaultText
}

// Properties is the "properties" of a mapping with the fields: those that skip does not
// report, as many as room allows, in the order of their names. If one field is a member of another that
// is not an object, both are left to dynamic mapping, which maps the first one that arrives.
func (f Fields) Properties(o Options, room int, skip func(path string) bool) map[string]any {
	root := map[string]any{}
	objects := f.objects()
	for _, path := range slices.Sorted(maps.Keys(f)) {
		field := o.mapping(f[path])
		if field == nil || skip(path) || objects[path] || f.hasScalarAbove(path) || !plain(path) {
			continue
		}
		if cost := cost(root, path, field); cost <= room {
			room -= cost
			put(root, path, field)
		}
	}
	return root
}

// objects are the paths with members.
func (f Fields) objects() map[string]bool {
	out := map[string]bool{}
	for path := range f {
		for i := range len(path) {
			if path[i] == '.' {
				out[path[:i]] = true
			}
		}
	}
	return out
}

// plain reports whether Elasticsearch accepts the path: no name in it is empty or blank.
func plain(path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if strings.TrimSpace(name) == "" {
			return false
		}
	}
	return true
}

// hasScalarAbove reports whether path is a member of a field that is not an object.
func (f Fields) hasScalarAbove(path string) bool {
	for i := range len(path) {
		if path[i] == '.' {
			if kind, ok := f[path[:i]]; ok && kind != source.Object {
				return true
			}
		}
	}
	return false
}

// cost is how many fields a field counts for the index's limit, including new objects above it.
func cost(root map[string]any, path string, field map[string]any) int {
	n := 1
	if below, ok := field["fields"].(map[string]any); ok {
		n += len(below)
	}
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		object, ok := root[name].(map[string]any)
		if !ok {
			n++
			root = nil
			continue
		}
		root, _ = object["properties"].(map[string]any)
	}
	return n
}

func put(root map[string]any, path string, field map[string]any) {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		object, ok := root[name].(map[string]any)
		if !ok {
			object = map[string]any{"properties": map[string]any{}}
			root[name] = object
		}
		root = object["properties"].(map[string]any)
	}
	root[names[len(names)-1]] = field
}
