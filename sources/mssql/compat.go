package mssql

import (
	"database/sql/driver"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values in the form of an index that Elastic's connector for SQL Server filled. It
// decodes binary data as UTF-8, writes times without naming their time zone, and fractions only as
// doubles. Where Elastic's connector fails, the value is that of the encoding exact.
// [typeOf] lists the form of each type.

// toDouble reads a number as a double; a 32-bit float becomes the equal double.
func toDouble(v driver.Value) (document.Value, string) {
	if f, ok := v.(float64); ok {
		return sqlread.Fraction(f), ""
	}
	return sqlread.ParseFraction(sqlread.TextOf(v), 64)
}

// toDecoded reads bytes as UTF-8.
func toDecoded(v driver.Value) (document.Value, string) {
	return sqlread.Decoded(sqlread.TextOf(v)), ""
}

// toNaive writes a time without a time zone, with a fraction of six digits.
func toNaive(v driver.Value) (document.Value, string) { return isoTime(v, "") }

// toZoned is like toNaive with the value's own offset.
func toZoned(v driver.Value) (document.Value, string) { return isoTime(v, "-07:00") }

func isoTime(v driver.Value, zone string) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	return document.String(t.Format("2006-01-02T15:04:05" + micros(t) + zone)), ""
}

// toClockISO writes a time of day, with a fraction of six digits.
func toClockISO(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	return document.String(t.Format("15:04:05" + micros(t))), ""
}

// micros is the form of a time's fraction: six digits, or nothing if they are zero.
func micros(t time.Time) string {
	if t.Nanosecond() < 1000 {
		return ""
	}
	return ".000000"
}
