package postgresql

import (
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// How the value of a key column looks in an id. The forms are those that Elastic's own connector
// gives: ids are what an index is compared by, so they must not differ from what it holds.

// appendKey appends the text that a value has in an id.
func appendKey(dst []byte, t *columnType, raw []byte) []byte {
	if t.Key == nil {
		return append(dst, raw...)
	}
	return t.Key(dst, string(raw))
}

// isZero reports whether the profile seed87 leaves a value out of ids.
func isZero(t *columnType, raw []byte) bool {
	return len(raw) == 0 || t.Zero != nil && t.Zero(string(raw))
}

func is(text string) func(string) bool { return func(t string) bool { return t == text } }

func zeroNumber(text string) bool { return strings.Trim(text, "-0.") == "" }

func zeroInterval(text string) bool {
	span, ok := parseInterval(text)
	return ok && span == 0
}

func keyBool(dst []byte, text string) []byte {
	if text == "t" {
		return append(dst, "True"...)
	}
	return append(dst, "False"...)
}

// keyFloat writes a double.
func keyFloat(dst []byte, text string) []byte {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return append(dst, text...)
	}
	return sqlread.AppendFloat(dst, f)
}

// keyReal writes a float of 32 bits with the digits of the double that it is equal to.
func keyReal(dst []byte, text string) []byte {
	f, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return append(dst, text...)
	}
	return sqlread.AppendFloat(dst, f)
}

// keyDecimal keeps all digits, trailing zeros too, and writes an exponent only for numbers below
// 1e-6, as 1.2E-7, and for whole numbers that end with four zeros or more, as 1.23E+6: the server
// sends decimal digits by fours and leaves the last fours out where they are zero.
func keyDecimal(dst []byte, text string) []byte {
	digits := strings.TrimPrefix(text, "-")
	sign := text[:len(text)-len(digits)]
	if !strings.Contains(digits, ".") {
		return keyWhole(dst, sign, digits)
	}
	return sqlread.AppendDecimal(dst, text)
}

// keyWhole writes a decimal without a fraction.
func keyWhole(dst []byte, sign, digits string) []byte {
	significant := digits
	for strings.HasSuffix(significant, "0000") && len(significant) > 4 {
		significant = significant[:len(significant)-4]
	}
	dst = append(dst, sign...)
	if significant == digits {
		return append(dst, digits...)
	}
	dst = append(sqlread.AppendMantissa(dst, significant), "E+"...)
	return strconv.AppendInt(dst, int64(len(digits)-1), 10)
}

// The dates and times of day that stand for infinite dates and times.
const (
	lastDate, firstDate   = "9999-12-31", "0001-01-01"
	lastClock, firstClock = "23:59:59.999999", "00:00:00"
)

// keyDate writes a date.
func keyDate(dst []byte, text string) []byte {
	switch text {
	case "infinity":
		return append(dst, lastDate...)
	case "-infinity":
		return append(dst, firstDate...)
	}
	return append(dst, text...)
}

// keyTimestamp writes a timestamp, an infinite one as the last or first of all and without an offset.
func keyTimestamp(dst []byte, text string) []byte {
	switch text {
	case "infinity":
		return append(dst, lastDate+" "+lastClock...)
	case "-infinity":
		return append(dst, firstDate+" "+firstClock...)
	}
	return keyTime(dst, text)
}

// keyTimestampTZ is like keyTimestamp for a text with an offset.
func keyTimestampTZ(dst []byte, text string) []byte {
	if strings.HasSuffix(text, "infinity") {
		return keyTimestamp(dst, text)
	}
	return keyTimeTZ(dst, text)
}

// keyTime writes a time of day: a fraction has six digits.
func keyTime(dst []byte, text string) []byte {
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 || len(text)-dot > 6 || strings.HasSuffix(text, " BC") {
		return append(dst, text...)
	}
	dst = append(dst, text...)
	return append(dst, "000000"[:7-(len(text)-dot)]...)
}

// keyTimeTZ is like keyTime for a text that ends with an offset, which gets its minutes.
func keyTimeTZ(dst []byte, text string) []byte {
	i := strings.LastIndexAny(text, "+-")
	if i < len("12:00:00") || strings.HasSuffix(text, " BC") {
		return append(dst, text...)
	}
	dst = keyTime(dst, text[:i])
	dst = append(dst, text[i:]...)
	if len(text)-i == len("+00") {
		dst = append(dst, ":00"...)
	}
	return dst
}

// keyBytes writes b'…' with every byte escaped that is not printable ASCII.
func keyBytes(dst []byte, text string) []byte {
	v, reason := toBytes(text)
	if reason != "" {
		return append(dst, text...)
	}
	return sqlread.AppendBytes(dst, v.Text())
}

// keyInterval writes days and the time that remains, months being 30 days and years 365.
func keyInterval(dst []byte, text string) []byte {
	span, ok := parseInterval(text)
	if !ok {
		return append(dst, text...)
	}
	return sqlread.AppendSpan(dst, span)
}

// parseInterval reads an interval in the ISO 8601 form of the server, such as P1Y2M-3DT4H5M-6.7S, in
// microseconds.
func parseInterval(text string) (span int64, ok bool) {
	rest, ok := strings.CutPrefix(text, "P")
	if !ok {
		return 0, false
	}
	const second = int64(time.Second / time.Microsecond)
	clock := false
	for rest != "" {
		if rest[0] == 'T' {
			clock, rest = true, rest[1:]
			continue
		}
		i := strings.IndexAny(rest, "YMDHS")
		if i <= 0 {
			return 0, false
		}
		number, unit := rest[:i], rest[i]
		rest = rest[i+1:]
		whole, fraction, _ := strings.Cut(number, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			return 0, false
		}
		switch {
		case unit == 'Y':
			n *= 365 * 86400 * second
		case unit == 'M' && !clock:
			n *= 30 * 86400 * second
		case unit == 'D':
			n *= 86400 * second
		case unit == 'H':
			n *= 3600 * second
		case unit == 'M':
			n *= 60 * second
		default:
			micros, err := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
			if err != nil {
				return 0, false
			}
			if strings.HasPrefix(whole, "-") {
				micros = -micros
			}
			n = n*second + micros
		}
		span += n
	}
	return span, true
}
