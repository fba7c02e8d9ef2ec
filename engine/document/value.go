package document

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kind is the kind of a [Value].
type Kind uint8

// The kinds. The zero Value is null.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindUint
	KindFloat
	KindDecimal
	KindString
	KindTime
	KindBytes
	KindList
	KindObject
	KindRaw
)

// Value is a closed union of all possible field values. Scalars are not boxed, as in
// [log/slog.Value].
type Value struct {
	kind Kind
	num  uint64
	str  string
	ref  any // []Value, []Field or time.Time
}

// Null is the JSON null.
func Null() Value { return Value{} }

// Bool is true or false.
func Bool(v bool) Value {
	if v {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int is a signed integer, written with all its digits.
func Int(v int64) Value { return Value{kind: KindInt, num: uint64(v)} }

// Uint is an unsigned integer, written with all its digits.
func Uint(v uint64) Value { return Value{kind: KindUint, num: v} }

// Float is a 64-bit float, written in its shortest form, always with a fraction or an exponent: otherwise
// Elasticsearch would map a field that begins with integers as integers. NaN and the infinities, which
// JSON cannot represent, are written as null.
func Float(v float64) Value { return Value{kind: KindFloat, num: math.Float64bits(v)} }

// Decimal is a number given as text, written as a JSON string so that no digit is lost.
func Decimal(digits string) Value { return Value{kind: KindDecimal, str: digits} }

// Number is a JSON number given as text, written unchanged. The text must be a
// valid JSON number.
func Number(digits string) Value { return Value{kind: KindRaw, str: digits} }

// String is text. Invalid UTF-8 is written as U+FFFD.
func String(v string) Value { return Value{kind: KindString, str: v} }

// Time is an instant, written in UTC as RFC 3339 with at most 9 fractional digits and no trailing
// zeros; null if the year is not within 0 to 9999.
func Time(v time.Time) Value { return Value{kind: KindTime, ref: v} }

// Bytes is binary data, written in base64.
func Bytes(v []byte) Value { return Value{kind: KindBytes, str: string(v)} }

// List is a JSON array.
func List(v []Value) Value { return Value{kind: KindList, ref: v} }

// Object is a JSON object; names must be unique.
func Object(v []Field) Value { return Value{kind: KindObject, ref: v} }

// Raw is JSON that is written unchanged. It must be valid and without line breaks, see
// [CompactRaw].
func Raw(v string) Value { return Value{kind: KindRaw, str: v} }

// Kind returns the kind of the value.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns the boolean of a KindBool.
func (v Value) Bool() bool { return v.num != 0 }

// Int returns the integer of a KindInt.
func (v Value) Int() int64 { return int64(v.num) }

// Float returns the float of a KindFloat.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Text returns the text of a KindString, KindDecimal or KindRaw and the bytes of a KindBytes.
func (v Value) Text() string { return v.str }

// Time returns the instant of a KindTime.
func (v Value) Time() time.Time { t, _ := v.ref.(time.Time); return t }

// AppendJSON appends the value as JSON.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(dst, v.num != 0)
	case KindInt:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case KindUint:
		return strconv.AppendUint(dst, v.num, 10)
	case KindFloat:
		return appendFloat(dst, math.Float64frombits(v.num))
	case KindDecimal, KindString:
		return AppendString(dst, v.str)
	case KindTime:
		return appendTime(dst, v.Time())
	case KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.str))
		return append(dst, '"')
	case KindList:
		return appendList(dst, v.ref.([]Value))
	case KindObject:
		return appendObject(dst, v.ref.([]Field))
	case KindRaw:
		return append(dst, v.str...)
	case KindNull:
	}
	return append(dst, "null"...)
}

func appendList(dst []byte, l []Value) []byte {
	dst = append(dst, '[')
	for i := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = l[i].AppendJSON(dst)
	}
	return append(dst, ']')
}

func appendObject(dst []byte, o []Field) []byte {
	dst = append(dst, '{')
	for i := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, o[i].Name)
		dst = append(dst, ':')
		dst = o[i].Value.AppendJSON(dst)
	}
	return append(dst, '}')
}

func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendFloat writes a float so that it cannot be mistaken for an integer.
func appendFloat(dst []byte, f float64) []byte {
	start := len(dst)
	dst = appendShortest(dst, f)
	if bytes.ContainsAny(dst[start:], ".el") { // a fraction, an exponent, or null
		return dst
	}
	return append(dst, ".0"...)
}

// appendShortest writes the shortest text that reads back as the same float, with an exponent only
// if the plain form would be long, as encoding/json does.
func appendShortest(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

const hex = "0123456789abcdef"

// plain marks the ASCII bytes that need no escape in a JSON string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD; nothing is escaped that
// JSON does not require to be.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := plainPrefix(s, 0); i < len(s); i = plainPrefix(s, i) {
		c := s[i]
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			i++
			start = i
			continue
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// plainPrefix returns the index of the first byte of s at or after i that needs special treatment
// in a JSON string: a control character, a quote, a backslash, or one beyond ASCII. It checks eight
// bytes at a time, because most text is plain; see BenchmarkAppendSource.
func plainPrefix(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash := w^everyByte*'"', w^everyByte*'\\'
		// A byte's high bit is set where the byte is below 0x20, equal to either, or beyond ASCII.
		special := (w - everyByte*0x20) | (quote - everyByte) | (slash - everyByte) | w
		if special&highBits != 0 {
			break
		}
	}
	for i < len(s) && plain[s[i]] {
		i++
	}
	return i
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
}

// CompactRaw makes a [Raw] value from JSON text: insignificant space is removed, numbers and key order
// stay unchanged, invalid UTF-8 in strings becomes U+FFFD. It fails if the text is not a single JSON
// value.
func CompactRaw(text []byte) (Value, error) {
	buf, err := appendCompact(make([]byte, 0, len(text)), text)
	if err != nil {
		return Value{}, err
	}
	return Raw(string(buf)), nil
}

func appendCompact(dst, text []byte) ([]byte, error) {
	if !json.Valid(text) {
		var v any
		return nil, json.Unmarshal(text, &v) // its error names the position
	}
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case inString && c == '\\':
			dst = append(dst, c, text[i+1])
			i++
			continue
		case c == '"':
			inString = !inString
		case inString && c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += size - 1
			continue
		case !inString && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
			continue
		}
		dst = append(dst, c)
	}
	return dst, nil
}
