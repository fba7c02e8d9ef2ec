package postgresql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The encoding compat: values in the form of an index that Elastic's connector for PostgreSQL filled.
// It reads with SQLAlchemy on asyncpg, and the forms here are theirs, written as JSON. If
// that connector fails on a value, it is written as in the encoding exact. [scalar] lists
// the form of each type.

// toDouble reads a number as a double.
func toDouble(text string) (document.Value, string) { return toFloatOf(text, 64) }

// toReal reads a 32-bit float as the equal double.
func toReal(text string) (document.Value, string) { return toFloatOf(text, 32) }

func toFloatOf(text string, bits int) (document.Value, string) {
	if reason := notFinite(text); reason != "" {
		return document.Null(), reason
	}
	return sqlread.ParseFraction(text, bits)
}

// toDecoded reads binary data as UTF-8.
func toDecoded(text string) (document.Value, string) {
	v, reason := toBytes(text)
	if reason != "" {
		return v, reason
	}
	return sqlread.Decoded(v.Text()), ""
}

// textAs makes a converter from the form of values in ids.
func textAs(form keyText) convert {
	return func(text string) (document.Value, string) { return document.String(string(form(nil, text))), "" }
}

// dateAs is like textAs for dates and times. Infinite dates have a form, invalid ones do not.
func dateAs(form keyText) convert {
	return func(text string) (document.Value, string) {
		if reason := noDate(text); reason != "" && !strings.HasSuffix(text, "infinity") {
			return document.Null(), reason
		}
		date := form(nil, text)
		if i := len(lastDate); len(date) > i && date[i] == ' ' {
			date[i] = 'T'
		}
		return document.String(string(date)), ""
	}
}

// toGroups writes bits in groups of four.
func toGroups(text string) (document.Value, string) {
	var b strings.Builder
	for i := range len(text) {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(text[i])
	}
	return document.String(b.String()), ""
}

// shape writes a geometric value from the numbers in the server's text.
type shape func(text string, numbers []string) string

// toShape makes a converter from a shape. Any other text stays unchanged.
func toShape(s shape) convert {
	return func(text string) (document.Value, string) {
		numbers := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("()[]{}<>,", r) })
		if len(numbers) < 2 {
			return document.String(text), ""
		}
		for i, n := range numbers {
			numbers[i] = string(keyFloat(nil, n))
		}
		return document.String(s(text, numbers)), ""
	}
}

// tuple is the shape of a point, or of the coefficients of a line.
func tuple(_ string, numbers []string) string { return "(" + strings.Join(numbers, ", ") + ")" }

// corners is the shape of a list of points.
func corners(_ string, numbers []string) string {
	var b strings.Builder
	for i := 0; i+1 < len(numbers); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(tuple("", numbers[i:i+2]))
	}
	return "[" + b.String() + "]"
}

// track is the shape of a path, which is open if the server writes it in square brackets.
func track(text string, numbers []string) string {
	if strings.HasPrefix(text, "[") {
		return "open " + corners(text, numbers)
	}
	return "closed " + corners(text, numbers)
}

// disc is the shape of a circle.
func disc(_ string, numbers []string) string {
	return "(" + tuple("", numbers[:2]) + ", " + strings.Join(numbers[2:], ", ") + ")"
}

// toJSONB embeds a value that the server has parsed; JSON's null is null.
func toJSONB(text string) (document.Value, string) {
	_, reason := sqlread.Text(text)
	v, err := document.CompactRaw([]byte(strings.ToValidUTF8(text, "\ufffd")))
	if err != nil {
		return document.Null(), "JSON in an unknown form"
	}
	if v.Text() == "null" {
		return document.Null(), ""
	}
	return document.Portable(v), reason
}

// toJSON embeds a value as it was written. If a name occurs twice in an object, which
// Elasticsearch refuses, the last value wins.
func toJSON(text string) (document.Value, string) {
	v, err := document.ParseJSON([]byte(text))
	if err != nil {
		return document.Null(), "JSON in an unknown form"
	}
	_, reason := sqlread.Text(text)
	return document.Portable(v), reason
}
