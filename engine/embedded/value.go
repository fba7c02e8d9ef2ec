package embedded

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// valueKind defines how the values of a field are compared.
type valueKind int

const (
	kindText    valueKind = iota // keyword: exact text
	kindWhole                    // long, integer, short, byte
	kindReal                     // double, float
	kindBool                     //
	kindDate                     // milliseconds
	kindDynamic                  // not mapped: the type would come from the documents
)

// value is one value of a field. Values of one field have one kind, except with kindDynamic.
type value struct {
	kind  valueKind
	text  string
	whole int64
	real  float64
}

func (v value) compare(w value) int {
	if v.kind != w.kind {
		if a, b := v.number(), w.number(); !math.IsNaN(a) && !math.IsNaN(b) {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(v.kind, w.kind)
	}
	switch v.kind {
	case kindText:
		return cmp.Compare(v.text, w.text)
	case kindReal:
		return cmp.Compare(v.real, w.real)
	default:
		return cmp.Compare(v.whole, w.whole)
	}
}

func (v value) number() float64 {
	switch v.kind {
	case kindWhole:
		return float64(v.whole)
	case kindReal:
		return v.real
	default:
		return math.NaN()
	}
}

// searchField is a field for queries and sorts.
type searchField struct {
	name, path  string
	kind        valueKind
	ignoreAbove int // longer texts are not indexed; 0: no limit
	absent      bool
	checked     bool // values that do not fit were not indexed
}

// searchable returns how a field is compared, or an error if this package does not support it.
func (m *mapping) searchable(name string) (*searchField, error) {
	field, path := m.field(name)
	f := &searchField{name: name, path: path, checked: m.shape != nil}
	if field == nil {
		f.absent = m.complete()
		f.kind = kindDynamic
		if parent, ok := strings.CutSuffix(name, ".keyword"); ok {
			f.path, f.ignoreAbove = parent, 256
		}
		return f, nil
	}
	for _, changes := range []string{"normalizer", "null_value", "format", "index", "doc_values", "coerce", "scaling_factor"} {
		if field[changes] != nil {
			return nil, unknown("searching the field [%s], whose mapping has [%s]", name, changes)
		}
	}
	if n, ok := field["ignore_above"].(json.Number); ok {
		limit, err := n.Int64()
		if err != nil {
			return nil, unknown("[ignore_above] of the field [%s]", name)
		}
		f.ignoreAbove = int(limit)
	}
	switch typeOf(field) {
	case "keyword":
		f.kind = kindText
	case "long", "integer", "short", "byte":
		f.kind = kindWhole
	case "double":
		f.kind = kindReal
	case "boolean":
		f.kind = kindBool
	case "date":
		f.kind = kindDate
	default:
		return nil, unknown("searching the field [%s] of type [%s]", name, typeOf(field))
	}
	return f, nil
}

// scalar is the text of a JSON value that is not an object or an array.
func scalar(raw []byte) []byte {
	if len(raw) > 0 && raw[0] == '"' {
		return unquote(raw)
	}
	return raw
}

// read converts a JSON value to one of the field's kind.
func (f *searchField) read(raw []byte) (value, bool) {
	v, judged := f.judge(raw)
	return v, judged == fits
}

func (f *searchField) judge(raw []byte) (value, verdict) {
	switch f.kind {
	case kindWhole:
		return readLong(raw)
	case kindReal:
		return readDouble(raw)
	case kindBool:
		return readBoolean(raw)
	case kindDate:
		return readDate(raw)
	case kindDynamic:
		return readDynamic(raw, string(scalar(raw))), fits
	default:
		return readText(raw)
	}
}

// readDynamic derives the kind of a value from its form.
func readDynamic(raw []byte, text string) value {
	switch raw[0] {
	case '"':
		return value{kind: kindText, text: text}
	case 't':
		return value{kind: kindBool, whole: 1}
	case 'f':
		return value{kind: kindBool}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value{kind: kindWhole, whole: n}
	}
	n, _ := strconv.ParseFloat(text, 64) // a valid JSON number is one
	return value{kind: kindReal, real: n}
}

// bound reads the bound of a range. Elasticsearch rounds dates without a time in a way that
// depends on the bound; if that matters, the query is refused.
func (f *searchField) bound(key string, raw []byte) (value, error) {
	text := string(scalar(raw))
	if f.kind == kindDate {
		if strings.Contains(text, "||") || strings.HasPrefix(text, "now") {
			return value{}, unknown("date math [%s]", text)
		}
		if len(text) <= len("2006-01-02") && (key == "gt" || key == "lte") && raw[0] == '"' {
			return value{}, unknown("the rounding of the date [%s] in a range", text)
		}
	}
	if f.kind == kindWhole && strings.ContainsAny(text, ".eE") {
		return value{}, unknown("the fraction [%s] as a bound of the integer [%s]", text, f.name)
	}
	v, ok := f.read(raw)
	if !ok {
		if f.kind == kindDate {
			return value{}, unknown("the date [%s]", text)
		}
		return value{}, queryError("For input string: %q", text)
	}
	return v, nil
}

// any reports whether a value of the field in a document passes the test.
func (f *searchField) any(source []byte, test func(value) bool) (found bool, err error) {
	if f.absent {
		return false, nil
	}
	err = f.each(source, func(v value) { found = found || test(v) })
	return found, err
}

// each calls do with every value of the field in a document.
func (f *searchField) each(source []byte, do func(value)) (err error) {
	walk(source, f.path, func(raw []byte) bool {
		if raw[0] == '{' {
			return true
		}
		if f.kind == kindDynamic {
			if err = f.settled(raw); err != nil {
				return false
			}
		}
		v, judged := f.judge(raw)
		switch {
		case judged == nothing, judged != fits && f.checked:
			return true
		case judged == fits && f.ignoreAbove > 0 && utf16Len([]byte(v.text)) > f.ignoreAbove:
			return true
		}
		if judged != fits {
			err = unknown("a document whose field [%s] does not fit its mapping", f.name)
			return false
		}
		do(v)
		return true
	})
	return err
}

// settled refuses a value of an unmapped field whose type Elasticsearch would guess: a text would be
// analyzed, unless it looks like a date.
func (f *searchField) settled(raw []byte) error {
	isText := raw[0] == '"'
	sub := f.path != f.name
	if isText == sub && (!isText || !looksLikeDate(unquote(raw))) {
		return nil
	}
	return unknown("searching the field [%s], which is not mapped and holds text: name its type in the mapping", f.name)
}

func looksLikeDate(b []byte) bool {
	return len(b) >= 8 && b[0] >= '0' && b[0] <= '9' && bytes.ContainsAny(b[4:5], "-/")
}

// walk calls do with every non-null value under a dotted path, through objects and arrays,
// until it returns false. Keys may contain dots.
func walk(object []byte, path string, do func(raw []byte) bool) bool {
	more := true
	fields(object, func(key, value []byte) bool {
		if string(key) == path {
			more = leaves(value, do)
		} else if len(path) > len(key) && path[len(key)] == '.' && path[:len(key)] == string(key) {
			more = objects(value, func(inner []byte) bool { return walk(inner, path[len(key)+1:], do) })
		}
		return more
	})
	return more
}

// objects calls do with every object in a value, through arrays.
func objects(raw []byte, do func([]byte) bool) bool {
	switch raw[0] {
	case '{':
		return do(raw)
	case '[':
		more := true
		elements(raw, func(one []byte) bool {
			more = objects(one, do)
			return more
		})
		return more
	}
	return true
}

// leaves calls do with every value that is not an array or null.
func leaves(raw []byte, do func([]byte) bool) bool {
	switch raw[0] {
	case 'n':
		return true
	case '[':
		more := true
		elements(raw, func(one []byte) bool {
			more = leaves(one, do)
			return more
		})
		return more
	}
	return do(raw)
}

// exists reports whether a document has a value in an indexed field that has the name, or is below
// it. Only the parts of the document on the path are read.
func (m *mapping) exists(object []byte, above, name string) bool {
	found := false
	fields(object, func(key, value []byte) bool {
		at := above + string(key)
		inside := at == name || strings.HasPrefix(at, name+".")
		if !inside && !strings.HasPrefix(name, at+".") {
			return true
		}
		leaves(value, func(leaf []byte) bool {
			if leaf[0] == '{' {
				found = m.exists(leaf, at+".", name)
			} else if inside {
				found = m.indexes(at, leaf)
			}
			return !found
		})
		return !found
	})
	return found
}

// indexes reports whether a value of this path is indexed.
func (m *mapping) indexes(path string, raw []byte) bool {
	if m.shape == nil {
		field, _ := m.field(path)
		return field != nil || !m.closed
	}
	f := m.shape.find(path)
	if f == nil || f.object {
		return false
	}
	if f.typ == nil || !f.typ.lenient {
		return true
	}
	_, judged := f.typ.read(raw)
	return judged == fits
}
