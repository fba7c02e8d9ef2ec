package rules

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

type order uint8

const (
	incomparable order = iota
	less
	equal
	greater
)

func ordered(c int) order { return order(c + 2) }

// operand is the value of a rule, parsed once as every kind that a document's value may have.
type operand struct {
	text     string
	number   float64
	isNumber bool
	truth    bool
	isTruth  bool
	time     time.Time
	isTime   bool
}

func newOperand(text string) operand {
	o := operand{text: text}
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	o.number, o.isNumber = number, err == nil
	o.truth, o.isTruth = parseBool(text)
	o.time, o.isTime = parseTime(text)
	return o
}

// plain converts a value to the kind that it has in the index: raw JSON to its content, and a float
// that JSON cannot represent to null. Raw objects and lists stay text.
func plain(v document.Value) document.Value {
	switch v.Kind() {
	case document.KindFloat:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return document.Null()
		}
		return v
	case document.KindRaw:
	default:
		return v
	}
	switch raw := v.Text(); {
	case raw == "true":
		return document.Bool(true)
	case raw == "false":
		return document.Bool(false)
	case raw == "" || raw == "null":
		return document.Null()
	case raw[0] == '{' || raw[0] == '[':
		return v
	case raw[0] == '"':
		var s string
		if json.Unmarshal([]byte(raw), &s) != nil {
			return document.Null()
		}
		return document.String(s)
	default:
		return document.Decimal(raw)
	}
}

// compare compares a [plain] value with a rule's value, which is read as the kind of the document's value.
// Objects and lists are equal to their JSON text, or incomparable.
func compare(v document.Value, o *operand) order {
	switch v.Kind() {
	case document.KindBool:
		if !o.isTruth || o.truth != v.Bool() {
			return incomparable
		}
		return equal
	case document.KindInt, document.KindUint, document.KindFloat, document.KindDecimal:
		return compareNumbers(text(v), o)
	case document.KindTime:
		if !o.isTime {
			return incomparable
		}
		return ordered(v.Time().Compare(o.time))
	case document.KindNull:
		return incomparable
	case document.KindList, document.KindObject, document.KindRaw:
		if text(v) != o.text {
			return incomparable
		}
		return equal
	case document.KindString, document.KindBytes:
	}
	return ordered(strings.Compare(text(v), o.text))
}

// compareNumbers compares as floats, which is exact unless they are equal; then the digits decide,
// so that adjacent 64-bit ids are distinguished.
func compareNumbers(digits string, o *operand) order {
	number, err := strconv.ParseFloat(digits, 64)
	switch {
	case err != nil || !o.isNumber:
		return incomparable
	case math.IsNaN(number) != math.IsNaN(o.number):
		return incomparable
	case number != o.number:
		return ordered(cmp.Compare(number, o.number))
	}
	a, okA := exact(digits)
	b, okB := exact(strings.TrimSpace(o.text))
	if !okA || !okB {
		return equal
	}
	return ordered(a.Cmp(b))
}

// exact reads digits without an exponent, which could demand any amount of memory.
func exact(digits string) (*big.Rat, bool) {
	if strings.Trim(digits, "+-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(digits)
}

func parseBool(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "y", "1", "on":
		return true, true
	case "false", "no", "n", "0", "off":
		return false, true
	}
	return false, false
}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// text is a [plain] value as text for the text rules: strings unchanged, everything else as in JSON.
func text(v document.Value) string {
	switch v.Kind() {
	case document.KindString, document.KindDecimal, document.KindRaw:
		return v.Text()
	}
	return strings.Trim(string(v.AppendJSON(nil)), `"`)
}
