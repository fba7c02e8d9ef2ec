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

// The encoding compat: values as an index holds them that Elastic's connector for Oracle filled. It
// decodes what is no text as UTF-8, writes times without a zone, and knows no fraction but the double.
// Where it fails, a value is what it is in the encoding exact. [builtIn] says which form a type has.

// toDouble writes a number as a double. It always has a fraction or an exponent, so that Elasticsearch takes
// no column of fractions for one of whole numbers because of its first value.
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
	return document.Number(string(sqlread.AppendFloat(nil, f))), ""
}

// toWholeOrDouble is for numbers of any scale, of which the whole ones are written with all their digits.
func toWholeOrDouble(v driver.Value) (document.Value, string) {
	digits := digitsOf(v)
	if strings.Contains(digits, ".") || strings.HasSuffix(digits, infinity) {
		return toDouble(digits)
	}
	return document.Number(digits), ""
}

// toDecoded takes bytes for UTF-8 and drops what is none.
func toDecoded(v driver.Value) (document.Value, string) {
	b, ok := v.([]byte)
	if !ok {
		return unexpected(v)
	}
	return document.String(strings.ToValidUTF8(string(b), "")), ""
}

// toNaive writes a time without a zone, a fraction with six digits.
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
