package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// seed belongs to this process only: a version is compared only with versions of the same run and never
// stored, so no one can craft a text that collides with another.
var seed = maphash.MakeSeed()

// Version is a digest of what "unchanged" means for a document: its timestamp or its content.
// 0 means unknown and equals nothing.
type Version uint64

// versionBits are the bits of a version; the id table keeps its own marks in the others.
const versionBits = 1<<62 - 1

func version(h uint64) Version {
	if v := Version(h & versionBits); v != 0 {
		return v
	}
	return 2
}

// TimestampVersion is the version of a document that is compared by its timestamp; 0 for "".
func TimestampVersion(timestamp string) Version {
	if timestamp == "" {
		return 0
	}
	return version(maphash.String(seed, timestamp))
}

// canonical marks the versions of canonical forms, so that a copy in our own form is compared only by its
// bytes: parsing every changed document would cost ten times as much as encoding it.
const canonical = 1

// Canonical reports whether the version is that of a [Canonical] form, which never equals a version of
// bytes.
func (v Version) Canonical() bool { return v&canonical != 0 }

// ContentVersion is the version of a document that is compared by its content: content is the output of
// [AppendSource] up to contentEnd.
func ContentVersion(content []byte) Version {
	return version(maphash.Bytes(seed, content) << 1)
}

// StoredVersion is the version of a _source as the destination returned it. A _source in the form
// that [AppendSource] writes is compared by its bytes, without parsing. ok is false for any other form:
// another program wrote it, or it went through a pipeline; then its [Canonical] form decides.
func StoredVersion(source []byte) (v Version, ok bool) {
	if !bytes.HasPrefix(source, []byte(`{"id":"`)) {
		return 0, false
	}
	i := bytes.LastIndex(source, []byte(timestampKey))
	if i < 0 || !isTimestampTail(source[i+len(timestampKey):]) {
		return 0, false
	}
	return ContentVersion(source[:i]), true
}

// isTimestampTail reports whether b is one plain JSON string followed by the end of the document.
// Inside a string a quote is escaped, so the key that precedes b cannot be part of one; a _timestamp
// of an inner object is followed by more than one brace.
func isTimestampTail(b []byte) bool {
	n := len(b)
	return n >= 3 && b[0] == '"' && b[n-1] == '}' && b[n-2] == '"' &&
		!bytes.ContainsAny(b[1:n-2], `"\`)
}

// CanonicalVersion is the version of a _source in any spelling: key order, white space and the
// spelling of fractions do not matter; _timestamp, the pipeline flags and the fields that ignore
// reports are left out. It fails if source is not a JSON object.
func CanonicalVersion(source []byte, ignore func(field string) bool) (Version, error) {
	b, err := Canonical(nil, source, ignore)
	if err != nil {
		return 0, err
	}
	return version(maphash.Bytes(seed, b) | canonical), nil
}

// Canonical appends the canonical form of a JSON object: keys sorted, no white space, integers
// unchanged, other numbers as the shortest text of their float64 (Elasticsearch's pipelines rewrite
// 12.50 to 12.5), zero without a sign (they rewrite -0 to 0), without the top-level fields that every
// run rewrites or that ignore reports. It fails if source is anything but one object.
func Canonical(dst, source []byte, ignore func(field string) bool) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(source))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); m == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("not one JSON object")
	}
	for k := range m {
		if written(k) || (ignore != nil && ignore(k)) {
			delete(m, k)
		}
	}
	return appendCanonical(dst, m), nil
}

// written names the fields that every run rewrites.
func written(k string) bool {
	switch k {
	case "_timestamp", "_extract_binary_content", "_reduce_whitespace", "_run_ml_inference":
		return true
	}
	return false
}

func appendCanonical(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		dst = append(dst, '{')
		for i, k := range keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, k), ':')
			dst = appendCanonical(dst, v[k])
		}
		return append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendCanonical(dst, e)
		}
		return append(dst, ']')
	case json.Number:
		return appendCanonicalNumber(dst, string(v))
	case string:
		return AppendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	}
	return append(dst, "null"...)
}

func appendCanonicalNumber(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, ".eE") && s != "-0" {
		return append(dst, s...)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil { // beyond float64: only the digits are left
		return append(dst, s...)
	}
	if f == 0 {
		return append(dst, '0')
	}
	return appendShortest(dst, f)
}

// WrittenAnew reports whether every run rewrites the top-level field, so that it says nothing about
// whether a document has changed.
func WrittenAnew(field string) bool { return written(field) }

// SameValue reports whether two JSON values have the same canonical form.
func SameValue(a, b []byte) bool {
	x, okX := decoded(a)
	y, okY := decoded(b)
	return okX && okY && bytes.Equal(appendCanonical(nil, x), appendCanonical(nil, y))
}

func decoded(raw []byte) (v any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return v, dec.Decode(&v) == nil
}

// vectorError is the relative difference between a number and its copy in a vector of Elasticsearch:
// a 32-bit float, which for the similarity cosine is divided by the vector's
// length and multiplied again.
const vectorError = 1e-6

// SameVector is SameValue for values that Elasticsearch stores as a vector: numbers may differ by what 32-bit
// floats lose.
func SameVector(a, b []byte) bool {
	x, okX := decoded(a)
	y, okY := decoded(b)
	return okX && okY && nearly(x, y)
}

func nearly(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, nearly)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, nearly)
	case json.Number:
		y, ok := b.(json.Number)
		f, errF := x.Float64()
		g, errG := y.Float64()
		return ok && errF == nil && errG == nil && math.Abs(f-g) <= vectorError*max(math.Abs(f), math.Abs(g))
	}
	return a == b
}
