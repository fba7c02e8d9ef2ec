package postgresql

import (
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The form of key values in ids. It is the form of Elastic's own connector: an index is compared by ids,
// so they must equal the ids in an index that it filled.

// appendKey appends the form of a value in an id.
func appendKey(dst []byte, t *columnType, raw []byte) []byte {
	if t.Key == nil {
		return append(dst, raw...)
	}
	return t.Key(dst, string(raw))
}

// isZero reports whether the profile seed87 omits a value from ids.
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

// keyReal writes a 32-bit float with the digits of the equal double.
func keyReal(dst []byte, text string) []byte {
	f, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return append(dst, text...)
	}
	return sqlread.AppendFloat(dst, f)
}

// keyDecimal keeps all digits, trailing zeros too, and writes an exponent only for numbers below
// 1e-6, as 1.2E-7, and for integers that end with four zeros or more, as 1.23E+6: the server
// sends decimal digits in groups of four and omits the last groups if they are zero.
func keyDecimal(dst []byte, text string) []byte {
	digits := strings.TrimPrefix(text, "-")
	sign := text[:len(text)-len(digits)]
	if !strings.Contains(digits, ".") {
		return keyInteger(dst, sign, digits)
	}
	return sqlread.AppendDecimal(dst, text)
}

// keyInteger writes a decimal without a fraction.
func keyInteger(dst []byte, sign, digits string) []byte {
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

// The dates and times of day that represent infinite dates and times.
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

// keyTimestamp writes a timestamp; an infinite one becomes the last or first possible one, without an offset.
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

// keyTimeTZ is like keyTime for a text that ends with an offset, to which minutes are added.
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

// keyInterval writes the days and the remaining time; a month counts as 30 days and a year as 365.
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
		integer, fraction, _ := strings.Cut(number, ".")
		n, err := strconv.ParseInt(integer, 10, 64)
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
			if strings.HasPrefix(integer, "-") {
				micros = -micros
			}
			n = n*second + micros
		}
		span += n
	}
	return span, true
}
