package sqlread

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The form of key values in ids, as far as several databases share it: the same as in ids of Elastic's own
// connectors.

// AppendFloat writes the shortest digits, always with a fraction or an exponent, the latter below
// 1e-4 and from 1e16.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	e := strconv.FormatFloat(f, 'e', -1, 64)
	exponent, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:]) // FormatFloat wrote it
	if f != 0 && (exponent < -4 || exponent >= 16) {
		return append(dst, e...)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !bytes.ContainsRune(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// AppendBytes writes b'…' with every byte escaped that is not printable ASCII.
func AppendBytes(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	dst = append(dst, 'b', quote)
	for i := range len(s) {
		switch c := s[i]; {
		case c == quote || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c < ' ' || c > '~':
			dst = fmt.Appendf(dst, `\x%02x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, quote)
}

// AppendDecimal keeps all digits of a decimal, trailing zeros too, and writes an exponent only for
// numbers below 1e-6, as 1.2E-7.
func AppendDecimal(dst []byte, text string) []byte {
	digits := strings.TrimPrefix(text, "-")
	integer, fraction, _ := strings.Cut(digits, ".")
	if strings.Trim(integer, "0") != "" {
		return append(dst, text...)
	}
	significant := strings.TrimLeft(fraction, "0")
	if significant == "" {
		significant = "0"
	}
	adjusted := len(significant) - 1 - len(fraction)
	if adjusted >= -6 {
		return append(dst, text...)
	}
	dst = append(dst, text[:len(text)-len(digits)]...)
	dst = append(AppendMantissa(dst, significant), 'E')
	return strconv.AppendInt(dst, int64(adjusted), 10)
}

// AppendMantissa writes digits with a point after the first.
func AppendMantissa(dst []byte, digits string) []byte {
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	return dst
}

// AppendSpan writes microseconds as days and the time that remains, such as 2 days, 3:04:05.600000.
func AppendSpan(dst []byte, span int64) []byte {
	const day = 24 * int64(time.Hour/time.Microsecond)
	days := span / day
	if span%day < 0 {
		days--
	}
	rest := span - days*day
	if days != 0 {
		dst = strconv.AppendInt(dst, days, 10)
		dst = append(dst, " day"...)
		if days != 1 && days != -1 {
			dst = append(dst, 's')
		}
		dst = append(dst, ", "...)
	}
	seconds := rest / 1e6
	dst = fmt.Appendf(dst, "%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if rest%1e6 != 0 {
		dst = fmt.Appendf(dst, ".%06d", rest%1e6)
	}
	return dst
}
