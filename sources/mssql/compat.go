package mssql

import (
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values as an index holds them that Elastic's connector for SQL Server filled. It
// decodes what is no text as UTF-8, writes times as they are without saying of which zone, and knows no
// number of fractions but the double. Where it fails, a value is what it is in the encoding exact.
// [typeOf] says which form a type has.

// toDouble reads a number as a double; one of 32 bits is the double that it is equal to. It always has a
// fraction or an exponent, so that Elasticsearch takes no column of fractions for one of whole numbers
// because of its first value.
func toDouble(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		var err error
		if f, err = strconv.ParseFloat(sqlread.TextOf(v), 64); err != nil {
			return document.Null(), "not a number of 64 bits"
		}
	}
	return document.Number(string(sqlread.AppendFloat(nil, f))), ""
}

// toDecoded takes bytes for UTF-8 and drops what is none.
func toDecoded(v driver.Value) (document.Value, string) {
	return document.String(strings.ToValidUTF8(sqlread.TextOf(v), "")), ""
}

// toNaive writes a time without a zone, a fraction with six digits.
func toNaive(v driver.Value) (document.Value, string) { return isoTime(v, "") }

// toZoned is like toNaive with the offset that the value has.
func toZoned(v driver.Value) (document.Value, string) { return isoTime(v, "-07:00") }

func isoTime(v driver.Value, zone string) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	return document.String(t.Format("2006-01-02T15:04:05" + micros(t) + zone)), ""
}

// toClockISO writes a time of day, a fraction with six digits.
func toClockISO(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	return document.String(t.Format("15:04:05" + micros(t))), ""
}

// micros is the form of the fraction of a time: six digits, or nothing where they are zero.
func micros(t time.Time) string {
	if t.Nanosecond() < 1000 {
		return ""
	}
	return ".000000"
}
