package embedded

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// verdict is how one value is indexed in its field.
type verdict uint8

const (
	fits      verdict = iota
	nothing           // counts as no value: an empty text in a number
	malformed         // not of the type: rejected, or with ignore_malformed not indexed
	unsure            // Elasticsearch decides with data that this package does not have
)

// fieldType is how Elasticsearch 9.5 reads the values of a field type. A type without a
// fieldType is not checked: its values are stored, and none is listed as ignored.
type fieldType struct {
	name string
	kind valueKind
	// read checks one value of a document, which is not an object, an array or null.
	read func(raw []byte) (value, verdict)
	// lenient types support ignore_malformed.
	lenient bool
	// object is why an object is rejected.
	object string
}

const (
	noNumber = "Cannot parse object as number"
	noText   = "Expected text at 1:%d but found START_OBJECT"
)

// checkedTypes are the checked types; engine/elastictest compares each of them with the server except
// unsigned_long, which needs a module that not every server has.
func checkedTypes() []fieldType {
	return []fieldType{
		{"text", kindText, readText, false, noText},
		{"keyword", kindText, readText, false, noText},
		{"long", kindWhole, readLong, true, noNumber},
		{"integer", kindWhole, readInteger, true, noNumber},
		{"unsigned_long", kindText, readUnsigned, true, noNumber},
		{"double", kindReal, readDouble, true, noNumber},
		{"float", kindReal, readFloat, true, noNumber},
		{"boolean", kindBool, readBoolean, true, "Current token (START_OBJECT) not of boolean type"},
		{"date", kindDate, readDate, true, "Cannot parse object or array as a date value"},
		{"ip", kindText, readIP, true, noText},
		{"binary", kindText, readText, false, ""},
	}
}

func checkedType(name string) *fieldType {
	for _, t := range checkedTypes() {
		if t.name == name {
			return &t
		}
	}
	return nil
}

// plainText is the text of a value. quoted reports that the document has it as text, not as a number or
// a boolean.
func plainText(raw []byte) (text []byte, quoted bool) { return scalar(raw), raw[0] == '"' }

func isBoolean(raw []byte) bool { return raw[0] == 't' || raw[0] == 'f' }

func readText(raw []byte) (value, verdict) {
	return value{kind: kindText, text: string(scalar(raw))}, fits
}

// readLong truncates fractions. Elasticsearch checks the number of digits of a text before
// its value, so "0e20" is too large, and 0e20 is not.
func readLong(raw []byte) (value, verdict) {
	text, quoted := plainText(raw)
	v := value{kind: kindWhole}
	switch {
	case quoted && len(text) == 0:
		return v, nothing
	case isBoolean(raw):
		return v, malformed
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		v.whole = n
		return v, fits
	}
	d, ok := parseDecimal(text)
	if !ok || quoted && d.zero() && 1-d.scale > 19 {
		return v, malformed
	}
	n, _, ok := d.whole()
	switch {
	case !ok || n > math.MaxInt64 && (!d.negative || n > 1<<63):
		return v, malformed
	case d.negative:
		v.whole = -int64(n)
	default:
		v.whole = int64(n)
	}
	return v, fits
}

// readUnsigned accepts no fraction, except for an integer that is written as one.
func readUnsigned(raw []byte) (value, verdict) {
	text, quoted := plainText(raw)
	v := value{kind: kindText, text: string(text)}
	switch {
	case quoted && len(text) == 0:
		return v, nothing
	case isBoolean(raw):
		return v, malformed
	}
	if !quoted && bytes.ContainsAny(text, ".eE") { // a float64 to Elasticsearch, which truncates it to a long
		n, _ := strconv.ParseFloat(string(text), 64)
		if n != math.Floor(n) || n < 0 {
			return v, malformed
		}
		return v, fits
	}
	d, ok := parseDecimal(text)
	if !ok {
		return v, malformed
	}
	n, exact, ok := d.whole()
	if !ok || !exact || d.negative && n > 0 {
		return v, malformed
	}
	return v, fits
}

// parseFloat reads what Java reads as a double: with surrounding blanks, and f or d after it.
func parseFloat(raw []byte, bits int) (float64, verdict) {
	text, quoted := plainText(raw)
	if quoted {
		if len(text) == 0 {
			return 0, nothing
		}
		text = bytes.TrimFunc(text, func(r rune) bool { return r <= ' ' })
		if n := len(text); n > 0 && strings.IndexByte("fFdD", text[n-1]) >= 0 {
			text = text[:n-1]
		}
	}
	n, err := strconv.ParseFloat(string(text), bits)
	if math.IsInf(n, 0) || err != nil || quoted && bytes.IndexByte(text, '_') >= 0 {
		return n, malformed
	}
	return n, fits
}

func readDouble(raw []byte) (value, verdict) { return readReal(raw, 64) }
func readFloat(raw []byte) (value, verdict)  { return readReal(raw, 32) }

func readReal(raw []byte, bits int) (value, verdict) {
	n, v := parseFloat(raw, bits)
	if math.IsNaN(n) {
		v = malformed
	}
	return value{kind: kindReal, real: n}, v
}

// readInteger reads a double first, and therefore NaN as 0.
func readInteger(raw []byte) (value, verdict) {
	n, v := parseFloat(raw, 64)
	switch {
	case math.IsNaN(n):
		if string(bytes.TrimSpace(scalar(raw))) != "NaN" {
			v = malformed
		}
		n = 0
	case n < math.MinInt32 || n > math.MaxInt32:
		v = malformed
	}
	return value{kind: kindWhole, whole: int64(n)}, v
}

func readBoolean(raw []byte) (value, verdict) {
	text, quoted := plainText(raw)
	v := value{kind: kindBool}
	switch string(text) {
	case "true":
		v.whole = 1
		return v, fits
	case "false":
		return v, fits
	case "":
		if quoted {
			return v, fits
		}
	}
	return v, malformed
}

// readIP accepts a zone with any address, and leading zeros in a group of a version 6 address.
func readIP(raw []byte) (value, verdict) {
	text := string(scalar(raw))
	v := value{kind: kindText, text: text}
	text, zone, zoned := strings.Cut(text, "%")
	if zoned && zone == "" {
		return v, malformed
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return v, fits
	}
	groups := strings.Split(text, ":")
	for i, g := range groups {
		if len(g) > 4 && !strings.Contains(g, ".") {
			groups[i] = g[min(len(g)-4, len(g)-len(strings.TrimLeft(g, "0"))):]
		}
	}
	if _, err := netip.ParseAddr(strings.Join(groups, ":")); err != nil || len(groups) == 1 {
		return v, malformed
	}
	return v, fits
}

// decimal is a number as Java's BigDecimal reads it: digits times ten to the power of -scale.
type decimal struct {
	negative bool
	digits   string // without leading zeros
	scale    int64
}

func (d decimal) zero() bool { return d.digits == "" }

// whole truncates the fraction. exact reports that there was none, ok that the rest has 64 bits.
func (d decimal) whole() (n uint64, exact, ok bool) {
	before := int64(len(d.digits)) - d.scale // digits before the point
	switch {
	case d.zero():
		return 0, true, true
	case before <= 0:
		return 0, false, true
	case before > 20:
		return 0, false, false
	}
	have := min(before, int64(len(d.digits)))
	exact = strings.Trim(d.digits[have:], "0") == ""
	n, err := strconv.ParseUint(d.digits[:have]+strings.Repeat("0", int(before-have)), 10, 64)
	return n, exact, err == nil
}

// parseDecimal reads a sign, digits of any script, a point and an exponent.
func parseDecimal(text []byte) (d decimal, ok bool) {
	text, ok = plainDigits(text)
	if !ok {
		return d, false
	}
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		d.negative, text = text[0] == '-', text[1:]
	}
	mantissa, exponent, found := cutAny(text, "eE")
	if found {
		var err error
		if d.scale, err = strconv.ParseInt(string(exponent), 10, 64); err != nil || len(bytes.TrimLeft(exponent, "+-")) > 10 {
			return d, false
		}
		d.scale = -d.scale
	}
	before, after, _ := bytes.Cut(mantissa, []byte{'.'})
	if len(before)+len(after) == 0 || digits(before, 0) < len(before) || digits(after, 0) < len(after) {
		return d, false
	}
	d.digits = strings.TrimLeft(string(before)+string(after), "0")
	d.scale += int64(len(after))
	return d, d.scale >= math.MinInt32 && d.scale <= math.MaxInt32
}

func cutAny(b []byte, marks string) (before, after []byte, found bool) {
	if i := bytes.IndexAny(b, marks); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}

// plainDigits converts digits of other scripts to ASCII.
func plainDigits(text []byte) ([]byte, bool) {
	if bytes.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return text, true
	}
	var out []byte
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		zero := r
		for unicode.Is(unicode.Nd, zero-1) {
			zero--
		}
		if !unicode.Is(unicode.Nd, r) {
			return nil, false
		}
		out = append(out, '0'+byte((r-zero)%10))
	}
	return out, true
}
