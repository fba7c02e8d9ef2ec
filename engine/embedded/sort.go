package embedded

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
)

// sortKey is one field to sort by.
type sortKey struct {
	doc   bool // the order of the documents themselves: _doc and _shard_doc
	field *searchField
	desc  bool
	first bool // documents without a value come first
}

// oneOrMany reads a list, or one of its members alone; nil: none.
func oneOrMany(raw json.RawMessage) (list []json.RawMessage, err error) {
	switch {
	case raw == nil:
		return nil, nil
	case raw[0] != '[':
		return []json.RawMessage{raw}, nil
	}
	err = json.Unmarshal(raw, &list)
	return list, err
}

// parseSort reads a sort; nil: none.
func parseSort(m *mapping, raw json.RawMessage) ([]sortKey, error) {
	list, err := oneOrMany(raw)
	if err != nil {
		return nil, parsingError("the sort cannot be read")
	}
	var keys []sortKey
	for _, one := range list {
		k, err := parseSortKey(m, one)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseSortKey(m *mapping, raw json.RawMessage) (sortKey, error) {
	name, body := "", json.RawMessage("{}")
	if raw[0] == '{' {
		var err error
		if name, body, err = oneField("sort", raw); err != nil {
			return sortKey{}, err
		}
	} else if json.Unmarshal(raw, &name) != nil {
		return sortKey{}, illegal("malformed sort format, within the sort array, an object, or an actual string are allowed")
	}
	if body[0] == '"' {
		body = append(append([]byte(`{"order":`), body...), '}')
	}
	in, err := only("sort", body, "order", "missing", "unmapped_type")
	if err != nil {
		return sortKey{}, err
	}
	var k sortKey
	switch order := string(scalar(in["order"])); order {
	case "desc":
		k.desc = true
	case "asc", "":
	default:
		return k, illegal("Unknown SortOrder [%s]", order)
	}
	switch missing := string(scalar(in["missing"])); missing {
	case "_first":
		k.first = true
	case "_last", "":
	default:
		return k, unknown("[missing] of a sort as [%s]", missing)
	}
	if name == "_doc" || name == "_shard_doc" {
		k.doc = true
		return k, nil
	}
	err = k.find(m, name, in["unmapped_type"] != nil)
	return k, err
}

func (k *sortKey) find(m *mapping, name string, unmapped bool) error {
	if name == "_score" || name == "_id" || name == "_seq_no" {
		return unknown("sorting by [%s]", name)
	}
	f, err := m.searchable(name)
	if err != nil {
		return err
	}
	k.field = f
	switch {
	case f.kind != kindDynamic:
		return nil
	case !m.complete():
		return unknown("sorting by the field [%s], which is not mapped: name its type in the mapping", name)
	case !unmapped:
		return fail(http.StatusBadRequest, "query_shard_exception", "No mapping found for [%s] in order to sort on", name).inPhase("query", "")
	}
	return nil
}

// sortValue is the value of one document under one sort key.
type sortValue struct {
	value
	missing bool
}

// of reads the value of a document: the smallest for ascending order, the largest for descending.
func (k *sortKey) of(r *record) (sortValue, error) {
	if k.doc {
		return sortValue{value: value{kind: kindWhole, whole: int64(r.seq)}}, nil
	}
	out := sortValue{missing: true}
	if k.field.absent {
		return out, nil
	}
	err := k.field.each(r.source, func(v value) {
		if c := v.compare(out.value); out.missing || k.desc && c > 0 || !k.desc && c < 0 {
			out = sortValue{value: v}
		}
	})
	return out, err
}

func (k *sortKey) compare(a, b sortValue) int {
	switch {
	case a.missing && b.missing:
		return 0
	case a.missing || b.missing:
		if a.missing == k.first {
			return -1
		}
		return 1
	}
	c := a.compare(b.value)
	if k.desc {
		return -c
	}
	return c
}

// append writes the value in the form of a hit's sort values, from where it may come back in
// search_after. Numbers have no null: a missing one is an end of their range.
func (k *sortKey) append(b []byte, v sortValue) []byte {
	if v.missing {
		low := k.first != k.desc
		switch {
		case k.field.kind == kindText || k.field.kind == kindDynamic:
			return append(b, "null"...)
		case k.field.kind == kindReal && low:
			return append(b, `"-Infinity"`...)
		case k.field.kind == kindReal:
			return append(b, `"Infinity"`...)
		case low:
			return strconv.AppendInt(b, math.MinInt64, 10)
		default:
			return strconv.AppendInt(b, math.MaxInt64, 10)
		}
	}
	switch v.kind {
	case kindText:
		return appendText(b, []byte(v.text))
	case kindReal:
		return append(b, mustMarshal(v.real)...)
	default:
		return strconv.AppendInt(b, v.whole, 10)
	}
}

// readAfter reads one value of search_after.
func (k *sortKey) readAfter(raw json.RawMessage) (sortValue, error) {
	text := string(scalar(raw))
	if string(raw) == "null" {
		return sortValue{missing: true}, nil
	}
	if k.doc {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return sortValue{}, illegal("Failed to parse search_after value for field [_shard_doc]")
		}
		return sortValue{value: value{kind: kindWhole, whole: n}}, nil
	}
	switch {
	case k.field.kind == kindReal && (text == "Infinity" || text == "-Infinity"):
		return sortValue{missing: true}, nil
	case k.field.kind != kindReal && k.field.kind != kindText &&
		(text == "9223372036854775807" || text == "-9223372036854775808"):
		return sortValue{missing: true}, nil
	}
	v, ok := k.field.read(raw)
	if !ok {
		return sortValue{}, illegal("Failed to parse search_after value for field [%s].", k.field.name)
	}
	return sortValue{value: v}, nil
}

// compareAll compares by all keys, then by the order of the documents. A shorter list of values ends
// the comparison: it is a search_after without values for the remaining keys.
func compareAll(keys []sortKey, a, b []sortValue) int {
	for i := range min(len(a), len(b)) {
		if c := keys[i].compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// hit is a document for a response.
type hit struct {
	doc    record
	values []sortValue
}

// keep copies the memory that the hit points to, until the response is written.
func (h *hit) keep() {
	h.doc.id, h.doc.routing, h.doc.source = slices.Clone(h.doc.id), slices.Clone(h.doc.routing), slices.Clone(h.doc.source)
	h.doc.ignored = slices.Clone(h.doc.ignored)
}
