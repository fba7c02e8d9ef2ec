// Package shape decides what the mapping of an index looks like, from what the parts of a source say of
// their fields: which type each kind of field gets, what two parts that disagree about a field come to,
// and what an existing mapping lacks or has otherwise.
//
// It is pure: it asks neither source nor destination. Its invariant: the outcome depends on the set of
// described fields alone, not on the order in which the parts come. See docs/index-settings.md.
package shape

import (
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// mixed is the kind of a field that is of different kinds in different parts, of which no number, date
// or the like holds all.
const mixed source.FieldKind = "mixed"

// opaque is the kind of a field that is an object in some parts and a value in others. No type of a field
// takes both, so that they are kept and not indexed.
const opaque source.FieldKind = "opaque"

// Fields are the kinds of written fields, by name. Members of objects have names with dots.
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

// unite is the kind that holds the values of both. Kinds form a semilattice, so order does not matter.
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

// maxKeyword is how many characters of a keyword are indexed: with four bytes each they are no more than
// the 32,766 bytes that Lucene takes. Longer values stay in _source and are not indexed.
const maxKeyword = 8191

// Options are what the types of fields depend on beside their kinds.
type Options struct {
	// Text is the mapping of a text field where it has to be given, such as that of a language; nil is
	// what Elasticsearch does by itself.
	Text map[string]any
	// GuessesDates reports that the index takes text that looks like a date for one, so that fields of
	// text are mapped as such.
	GuessesDates bool
	// Strict reports that the index refuses malformed values unless the field itself does not.
	Strict bool
	// NoUnsignedLong reports that the destination does not have that type.
	NoUnsignedLong bool
}

// defaultText is what dynamic mapping makes of a string, see
// https://www.elastic.co/docs/manage-data/data-store/mapping/dynamic-field-mapping.
var defaultText = map[string]any{
	"type": "text", "fields": map[string]any{"keyword": map[string]any{"type": "keyword", "ignore_above": 256}},
}

// mapping is the mapping of a field; nil where dynamic mapping does it.
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

// Properties is what stands under "properties" in a mapping of the fields: of those that skip does not
// name, as many as room allows, in the order of their names. Where one field is a member of another that
// is no object, both are left to dynamic mapping, which takes the one that comes first.
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

// objects are the paths that have members.
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

// plain reports whether Elasticsearch takes the path: no name in it is empty or blank.
func plain(path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if strings.TrimSpace(name) == "" {
			return false
		}
	}
	return true
}

// hasScalarAbove reports whether path is a member of a field that is no object.
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

// cost is how many fields of the index's limit a field takes, with objects above it that are new.
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
