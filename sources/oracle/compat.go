package oracle

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values in the form of an index that Elastic's connector for Oracle filled. It
// decodes binary data as UTF-8, writes times without a time zone, and fractions only as doubles.
// Where Elastic's connector fails, the value is that of the encoding exact. [builtIn] lists the form of each type.

// toDouble writes a number as a double.
func toDouble(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		var err error
		if f, err = strconv.ParseFloat(digitsOf(v), 64); err != nil {
			return document.Null(), "not a number of 64 bits"
		}
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return toFloat(f)
	}
	return sqlread.Fraction(f), ""
}

// toIntegerOrDouble is for numbers of any scale; integers are written with all their digits.
func toIntegerOrDouble(v driver.Value) (document.Value, string) {
	digits := digitsOf(v)
	if strings.Contains(digits, ".") || strings.HasSuffix(digits, infinity) {
		return toDouble(digits)
	}
	return document.Number(digits), ""
}

// toDecoded reads bytes as UTF-8.
func toDecoded(v driver.Value) (document.Value, string) {
	b, ok := v.([]byte)
	if !ok {
		return unexpected(v)
	}
	return sqlread.Decoded(string(b)), ""
}

// toNaive writes a time without a time zone, with a fraction of six digits.
func toNaive(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unexpected(v)
	}
	if reason := noDate(t); reason != "" {
		return document.Null(), reason
	}
	form := keyTime(nil, t)
	form[len(time.DateOnly)] = 'T'
	return document.String(string(form)), ""
}
