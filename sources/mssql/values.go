package mssql

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The converters of the encoding exact; see [columnType].

// unknownForm is the result for a value in a form that the driver does not return today.
func unknownForm(what string) (document.Value, string) {
	return document.Null(), what + " in an unknown form"
}

func toText(v driver.Value) (document.Value, string) {
	return document.String(sqlread.TextOf(v)), ""
}

// undefined are the bytes without characters in code page 1252; the server decodes them as control characters.
const undefined = "\u0081\u008d\u008f\u0090\u009d"

// toDecodedText is for single-byte characters that the server has decoded.
func toDecodedText(v driver.Value) (document.Value, string) {
	text := sqlread.TextOf(v)
	if i := strings.IndexAny(text, undefined); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return document.String(text), fmt.Sprintf("the byte %02x is no character of its code page", r)
	}
	return document.String(text), ""
}

// toResultText is for the queries of rules, whose text the driver has decoded as far as it can.
func toResultText(v driver.Value) (document.Value, string) {
	text := sqlread.TextOf(v)
	if strings.ContainsRune(text, utf8.RuneError) {
		return document.String(text), "bytes that are no characters of their code page were replaced; CONVERT(nvarchar(max), …) keeps them apart"
	}
	return document.String(text), ""
}

func toInt(v driver.Value) (document.Value, string) {
	n, ok := v.(int64)
	if !ok {
		return unknownForm("an integer")
	}
	return document.Int(n), ""
}

func toFlag(v driver.Value) (document.Value, string) {
	flag, ok := v.(bool)
	if !ok {
		return unknownForm("a bit")
	}
	return document.Bool(flag), ""
}

func toFloat(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		return unknownForm("a float")
	}
	return document.Float(f), ""
}

// toReal writes the shortest digits that identify a 32-bit float.
func toReal(v driver.Value) (document.Value, string) {
	f, ok := v.(float64)
	if !ok {
		return unknownForm("a float")
	}
	return document.Float(shortest(f)), ""
}

// shortest is the 64-bit float of the shortest digits of a 32-bit float.
func shortest(f float64) float64 {
	f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64) // FormatFloat wrote it
	return f
}

func toDecimal(v driver.Value) (document.Value, string) {
	return document.Decimal(sqlread.TextOf(v)), ""
}

func toBytes(v driver.Value) (document.Value, string) {
	b, ok := v.([]byte)
	if !ok {
		return unknownForm("bytes")
	}
	return document.Bytes(b), ""
}

// toHex writes a row version as SQL does.
func toHex(v driver.Value) (document.Value, string) {
	b, ok := v.([]byte)
	if !ok {
		return unknownForm("bytes")
	}
	return document.String("0x" + strings.ToUpper(hex.EncodeToString(b))), ""
}

func toGUID(v driver.Value) (document.Value, string) {
	guid, ok := guidText(v)
	if !ok {
		return unknownForm("an identifier")
	}
	return document.String(guid), ""
}

// guidText writes an identifier whose bytes the driver has put into the order of their text.
func guidText(v driver.Value) (text string, ok bool) {
	b, ok := v.([]byte)
	if !ok || len(b) != 16 {
		return "", false
	}
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true
}

func toDate(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a date")
	}
	return document.String(t.Format(time.DateOnly)), ""
}

func toClock(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	return document.String(t.Format("15:04:05.9999999")), ""
}

// toInstant writes a time in RFC 3339. A time without a time zone is taken as UTC.
func toInstant(v driver.Value) (document.Value, string) {
	t, ok := v.(time.Time)
	if !ok {
		return unknownForm("a time")
	}
	t = t.UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return document.Null(), "a time that is not in the years 1 to 9999 of UTC"
	}
	return document.String(t.Format("2006-01-02T15:04:05.9999999Z")), ""
}

// toNumbers reads a vector, whose numbers are 32-bit floats.
func toNumbers(v driver.Value) (document.Value, string) {
	var floats []float64
	if err := json.Unmarshal([]byte(sqlread.TextOf(v)), &floats); err != nil {
		return unknownForm("a vector")
	}
	numbers := []document.Value{}
	for _, f := range floats {
		numbers = append(numbers, document.Float(shortest(f)))
	}
	return document.List(numbers), ""
}

// toVariant reads the result of [variantText]. The texts are those of a column of the value's own type;
// all are text, so that the column has one type.
func toVariant(v driver.Value) (document.Value, string) {
	base, text, ok := strings.Cut(sqlread.TextOf(v), ":")
	if !ok {
		return unknownForm("a value of any type")
	}
	switch base {
	case "bit":
		text = map[string]string{"0": "false", "1": "true"}[text]
	case "real", "float":
		bits := 64
		if base == "real" {
			bits = 32
		}
		f, err := strconv.ParseFloat(text, bits)
		if err != nil {
			return unknownForm("a float")
		}
		text = strconv.FormatFloat(f, 'g', -1, bits)
	case "uniqueidentifier":
		text = strings.ToLower(text)
	case "binary", "varbinary":
		b, err := hex.DecodeString(text)
		if err != nil {
			return unknownForm("bytes")
		}
		return document.Bytes(b), ""
	case "time":
		text = trimmed(text)
	case "smalldatetime", "datetime", "datetime2":
		return instantOf(text, "2006-01-02 15:04:05")
	case "datetimeoffset":
		return instantOf(text, "2006-01-02 15:04:05 -07:00")
	}
	return document.String(text), ""
}

// instantOf reads a time in one of the server's forms; it may have a fraction.
func instantOf(text, form string) (document.Value, string) {
	t, err := time.Parse(form, text)
	if err != nil {
		return unknownForm("a time")
	}
	return toInstant(t)
}

// trimmed removes trailing zeros of a fraction.
func trimmed(clock string) string {
	if !strings.Contains(clock, ".") {
		return clock
	}
	return strings.TrimSuffix(strings.TrimRight(clock, "0"), ".")
}
