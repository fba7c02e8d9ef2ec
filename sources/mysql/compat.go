package mysql

import (
	"strconv"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values in the form of an index that Elastic's connector for MySQL filled. That connector reads
// the text protocol, decodes binary data as UTF-8, and writes all numbers as doubles. If it
// fails on a value, it is written as in the encoding exact. [typeOf] lists the form of each type.

// toReal writes a 32-bit float with the six digits of the text protocol.
func toReal(c *cell) (document.Value, string) {
	return sqlread.Fraction(sixDigits(c.f)), ""
}

// sixDigits is the float of the server's text for a 32-bit float.
func sixDigits(f float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 6, 32), 64) // FormatFloat wrote it
	return rounded
}

// toDouble reads a double or a decimal as a double.
func toDouble(c *cell) (document.Value, string) {
	if c.float {
		return sqlread.Fraction(c.f), ""
	}
	return sqlread.ParseFraction(c.text, 64)
}

// toDecoded reads bytes as UTF-8.
func toDecoded(c *cell) (document.Value, string) { return sqlread.Decoded(c.text), "" }

// toNaive writes a time without a time zone, with a fraction of six digits. An invalid date stays unchanged.
func toNaive(c *cell) (document.Value, string) {
	if noDate(c.text) != "" || len(c.text) < 19 {
		return document.String(c.text), ""
	}
	form := keyTime(nil, c)
	form[10] = 'T'
	return document.String(string(form)), ""
}
