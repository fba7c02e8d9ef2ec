package sqlread

import (
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// The forms of the encoding compat that several databases share: those of Elastic's own connectors.

// Fraction writes a number as a double, always with a fraction or an exponent, so that Elasticsearch does not map a
// column of fractions as integers because of its first value.
func Fraction(f float64) document.Value { return document.Number(string(AppendFloat(nil, f))) }

// ParseFraction is [Fraction] of a decimal number in text, as a float of so many bits.
func ParseFraction(text string, bits int) (v document.Value, reason string) {
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return document.Null(), "not a number of 64 bits"
	}
	return Fraction(f), ""
}

// Decoded reads bytes as UTF-8 and drops invalid ones.
func Decoded(text string) document.Value { return document.String(strings.ToValidUTF8(text, "")) }
