package shape

import (
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Drift is a field whose mapping in the index differs from that of a new index.
type Drift struct {
	Field   string
	Mapped  string           // the type in the index
	Kind    source.FieldKind // in the source
	Meaning string           // the consequence for searches and syncs
	Refuses bool             // values may be rejected or not indexed
}

// Drift lists the fields whose type in the index loses something, in the order of their names.
// mapped returns the type of a path; "" if there is none. refuses reports that the index rejects values that a
// type cannot hold, instead of not indexing them.
func (f Fields) Drift(mapped func(path string) string, refuses bool) []Drift {
	var out []Drift
	for _, path := range slices.Sorted(maps.Keys(f)) {
		typ := mapped(path)
		if typ == "" {
			continue
		}
		meaning, malformed := lost(f[path], typ)
		if meaning == "" {
			continue
		}
		kind := f[path]
		// No setting makes a value's type accept an object.
		refused := malformed && (refuses || kind == source.Object || kind == opaque)
		if refused {
			meaning = "values that are not of type " + typ + " are rejected"
		}
		switch kind {
		case mixed:
			kind = source.Text
		case opaque:
			kind = source.Object
		}
		out = append(out, Drift{Field: path, Mapped: typ, Kind: kind, Meaning: meaning, Refuses: refused})
	}
	return out
}

// texts are the types that accept any text.
var texts = []string{"text", "keyword", "match_only_text", "wildcard", "search_as_you_type", "semantic_text", "constant_keyword", "completion"}

// lost describes what a field of the kind loses in the type, or "". malformed reports that the type cannot
// hold some of its values.
func lost(kind source.FieldKind, typ string) (meaning string, malformed bool) {
	if slices.Contains(exact[kind], typ) || typ == "object" || typ == "disabled" || typ == "flattened" || typ == "nested" || typ == "alias" {
		return "", false // it has members, or was created by hand
	}
	asText := slices.Contains(texts, typ)
	switch {
	case kind == source.Text, kind == mixed, kind == source.Keyword, kind == source.IP:
		if asText {
			return "", false
		}
		return notIndexed(typ), true
	case kind == source.Binary && asText:
		return "base64 is split into meaningless words", false
	case kind == source.Binary, kind == source.Object, kind == opaque:
		return notIndexed(typ), true
	case asText && isNumber(kind):
		return "searched as text: no ranges, sums or numeric order", false
	case asText && kind == source.Date:
		return "searched as text: no date ranges", false
	case asText:
		return "searched as text", false
	case isNumber(kind):
		return lostNumber(kind, typ)
	}
	return notIndexed(typ), true
}

// exact are the types that hold all values of a kind exactly.
var exact = map[source.FieldKind][]string{
	source.Long:         {"long"},
	source.UnsignedLong: {"unsigned_long", "double"}, // the second if the first is not available
	source.Double:       {"double"},
	source.Decimal:      {"double", "scaled_float"},
	source.Boolean:      {"boolean"},
	source.Date:         {"date", "date_nanos"},
	source.Binary:       {"binary"},
	source.IP:           {"ip"},
}

func lostNumber(kind source.FieldKind, typ string) (string, bool) {
	switch typ {
	case "double", "scaled_float":
		return "neighbors beyond 2^53 are equal in searches", false
	case "float", "half_float":
		return "neighbors beyond 2^24 are equal in searches, and large values are not indexed", true
	case "long", "unsigned_long", "integer", "short", "byte":
		if kind == source.Double || kind == source.Decimal {
			return "fractions are truncated in searches", true
		}
		return "numbers beyond its range are not indexed", true
	}
	return notIndexed(typ), true
}

func notIndexed(typ string) string { return "values that are not of type " + typ + " are not indexed" }
