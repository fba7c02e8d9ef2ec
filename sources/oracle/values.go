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

// unexpected is a value that the driver gave for a type which it should not give it for.
func unexpected(v driver.Value) (document.Value, string) {
	return document.Null(), fmt.Sprintf("a value in an unknown form (%T)", v)
}

func toText(v driver.Value) (document.Value, string) {
	return sqlread.Text(sqlread.TextOf(v))
}

// toWhole is for columns that hold whole numbers of at most 18 digits.
func toWhole(v driver.Value) (document.Value, string) {
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

// infinity is what the driver says for numbers that other programs left behind as such.
const infinity = "Infinity"

// digitsOf is a number as the driver has it.
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

// toReal writes the shortest digits that are of no other float of 32 bits.
func toReal(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		return unexpected(v)
	}
	return toFloat(shortened(f))
}

// shortened is the float that the shortest text of one of 32 bits means.
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

// toTime writes a time in RFC 3339. One without a zone is taken as UTC.
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

// instantText is a time without the zeros at its end. The driver has taken it for one in UTC.
func instantText(t time.Time) string {
	return t.Format("2006-01-02T15:04:05.999999999") + "Z"
}

// noDate tells why a date has no place in an index. Oracle's calendar begins 4712 years before the year 1,
// and arithmetic may leave dates behind that are in none.
func noDate(t time.Time) string {
	switch year := t.Year(); {
	case year < 1:
		return fmt.Sprintf("a date in the year %d BC", max(1, -year))
	case year > 9999:
		return fmt.Sprintf("a date in the year %d", year)
	}
	return ""
}

// toJSON is for what the server writes as JSON.
func toJSON(v driver.Value) (document.Value, string) {
	value, err := document.CompactRaw([]byte(sqlread.TextOf(v)))
	if err != nil {
		return document.Null(), "JSON in an unknown form"
	}
	return document.Portable(value), ""
}

// toFile tells where a file of the server is, and nothing of what is in it.
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
