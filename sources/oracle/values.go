package oracle

import (
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The converters of the encoding exact; see [columnType].

// unexpected is a value whose Go type does not belong to the column's type.
func unexpected(v driver.Value) (document.Value, string) {
	return document.Null(), fmt.Sprintf("a value in an unknown form (%T)", v)
}

func toText(v driver.Value) (document.Value, string) {
	return sqlread.Text(sqlread.TextOf(v))
}

// toInteger is for columns with integers of at most 18 digits.
func toInteger(v driver.Value) (document.Value, string) {
	n, err := strconv.ParseInt(sqlread.TextOf(v), 10, 64)
	if err != nil {
		return document.Null(), "not an integer of 64 bits"
	}
	return document.Int(n), ""
}

func toDecimal(v driver.Value) (document.Value, string) {
	digits := digitsOf(v)
	if strings.HasSuffix(digits, infinity) {
		return document.Null(), "infinity"
	}
	return document.Decimal(digits), ""
}

// infinity is the driver's text for infinite numbers, which other programs may have written.
const infinity = "Infinity"

// digitsOf is a number in the driver's form.
func digitsOf(v driver.Value) string { return strings.TrimSuffix(sqlread.TextOf(v), ".") }

func toFloat(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	switch {
	case !ok:
		return unexpected(v)
	case math.IsNaN(f):
		return document.Null(), "not a number"
	case math.IsInf(f, 0):
		return document.Null(), "infinity"
	}
	return document.Float(f), ""
}

// toReal writes the shortest digits that identify a 32-bit float.
func toReal(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		return unexpected(v)
	}
	return toFloat(shortened(f))
}

// shortened is the 64-bit float of the shortest text of a 32-bit float.
func shortened(f float64) float64 {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64) // FormatFloat wrote it
	return short
}

func toBytes(v driver.Value) (document.Value, string) {
	b, ok := v.([]byte)
	if !ok {
		return unexpected(v)
	}
	return document.Bytes(b), ""
}

func toBool(v driver.Value) (document.Value, string) {
	b, ok := v.(bool)
	if !ok {
		return unexpected(v)
	}
	return document.Bool(b), ""
}

// toTime writes a time in RFC 3339. A time without a time zone is taken as UTC.
func toTime(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unexpected(v)
	}
	if reason := noDate(t); reason != "" {
		return document.Null(), reason
	}
	return document.String(instantText(t)), ""
}

// instantText is a time without trailing zeros. The driver has read it as UTC.
func instantText(t time.Time) string {
	return t.Format("2006-01-02T15:04:05.999999999") + "Z"
}

// noDate says why an index cannot hold a date. Oracle's calendar begins 4712 years before the year 1,
// and arithmetic may produce dates in no calendar.
func noDate(t time.Time) string {
	switch year := t.Year(); {
	case year < 1:
		return fmt.Sprintf("a date in the year %d BC", max(1, -year))
	case year > 9999:
		return fmt.Sprintf("a date in the year %d", year)
	}
	return ""
}

// toJSON is for values that the server writes as JSON.
func toJSON(v driver.Value) (document.Value, string) {
	value, err := document.CompactRaw([]byte(sqlread.TextOf(v)))
	if err != nil {
		return document.Null(), "JSON in an unknown form"
	}
	return document.Portable(value), ""
}

// toFile describes where a file of the server is, without its content.
func toFile(v driver.Value) (document.Value, string) {
	f, ok := v.(ora.BFile)
	if !ok {
		return unexpected(v)
	}
	return document.Object([]document.Field{
		{Name: "dir", Value: document.String(f.GetDirName())},
		{Name: "file", Value: document.String(f.GetFileName())},
	}), ""
}
