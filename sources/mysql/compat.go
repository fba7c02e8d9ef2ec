package mysql

import (
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values as an index holds them that Elastic's connector for MySQL filled. It reads
// the text protocol, decodes what is no text as UTF-8, and knows no number but the double. Where it
// fails, a value is what it is in the encoding exact. [typeOf] says which form a type has.

// toReal writes a float of 32 bits with the six digits that the text protocol has.
func toReal(c *cell) (document.Value, string) {
	return document.Number(string(sqlread.AppendFloat(nil, sixDigits(c.f)))), ""
}

// sixDigits is the float that the server's text of one of 32 bits means.
func sixDigits(f float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 6, 32), 64) // FormatFloat wrote it
	return rounded
}

// toDouble reads a double or a decimal as a double. It always has a fraction or an exponent, so that
// Elasticsearch takes no column of fractions for one of whole numbers because of its first value.
func toDouble(c *cell) (document.Value, string) {
	f := c.f
	if !c.float {
		var err error
		if f, err = strconv.ParseFloat(c.text, 64); err != nil {
			return document.Null(), "not a number of 64 bits"
		}
	}
	return document.Number(string(sqlread.AppendFloat(nil, f))), ""
}

// toDecoded takes bytes for UTF-8 and drops what is none.
func toDecoded(c *cell) (document.Value, string) {
	return document.String(strings.ToValidUTF8(c.text, "")), ""
}

// toNaive writes a time without a zone, a fraction with six digits. What is no date stays as it is.
func toNaive(c *cell) (document.Value, string) {
	if noDate(c.text) != "" || len(c.text) < 19 {
		return document.String(c.text), ""
	}
	form := keyTime(nil, c)
	form[10] = 'T'
	return document.String(string(form)), ""
}
