package mysql

import (
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The form of key values in ids. It is the form of Elastic's own connector: an index is compared by ids,
// so they must equal the ids in an index that it filled.

// append appends the value unchanged: the digits of a number, or what was sent.
func (c *cell) append(dst []byte) []byte {
	switch {
	case c.integer:
		return strconv.AppendInt(dst, c.num, 10)
	case c.float:
		return strconv.AppendFloat(dst, c.f, 'g', -1, c.bits)
	}
	return append(dst, c.raw...)
}

func zeroNumber(c *cell) bool {
	switch {
	case c.integer:
		return c.num == 0
	case c.float:
		return c.f == 0
	}
	return strings.Trim(string(c.raw), "-0.") == ""
}

func zeroSpan(c *cell) bool { return strings.Trim(string(c.raw), "-0:.") == "" }

// keyFloat writes a double; a 32-bit float has six digits.
func keyFloat(dst []byte, c *cell) []byte {
	if c.bits == 32 {
		return sqlread.AppendFloat(dst, sixDigits(c.f))
	}
	return sqlread.AppendFloat(dst, c.f)
}

func keyDecimal(dst []byte, c *cell) []byte { return sqlread.AppendDecimal(dst, string(c.raw)) }

func keyBytes(dst []byte, c *cell) []byte { return sqlread.AppendBytes(dst, string(c.raw)) }

// keyTime writes a date with a time of day: a fraction has six digits, and is omitted if it is zero.
func keyTime(dst []byte, c *cell) []byte {
	text := c.raw
	if text == nil {
		text = []byte(c.text)
	}
	integer, fraction, _ := strings.Cut(string(text), ".")
	dst = append(dst, integer...)
	if strings.Trim(fraction, "0") == "" {
		return dst
	}
	return append(append(append(dst, '.'), fraction...), "000000"[:6-min(6, len(fraction))]...)
}

// keySpan writes a time as days and the remaining time.
func keySpan(dst []byte, c *cell) []byte {
	span, ok := parseSpan(string(c.raw))
	if !ok {
		return append(dst, c.raw...)
	}
	return sqlread.AppendSpan(dst, span)
}

// parseSpan reads a time such as -838:59:59.5, in microseconds.
func parseSpan(text string) (span int64, ok bool) {
	text, negative := strings.CutPrefix(text, "-")
	clock, fraction, _ := strings.Cut(text, ".")
	units := strings.Split(clock, ":")
	if len(units) != 3 {
		return 0, false
	}
	for _, u := range append(units, (fraction + "000000")[:6]) {
		n, err := strconv.ParseUint(u, 10, 32)
		if err != nil {
			return 0, false
		}
		scale := int64(60)
		if len(u) == 6 {
			scale = 1e6
		}
		span = span*scale + int64(n)
	}
	if negative {
		span = -span
	}
	return span, true
}
