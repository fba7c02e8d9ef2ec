package postgresql

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// How a column's type becomes JSON. All values have the server's text form, which is exact for
// every type, with the settings of [session].
//
// A value that JSON, or an index of dates or numbers, cannot hold is null, and
// the reason is noted in the document. A column never changes its JSON type between rows.

// Types for this package's values: the server's text. In the result of a query, Declared is
// the type's OID.
type (
	table      = sqlread.Table[string]
	column     = sqlread.Column[string]
	columnType = sqlread.Type[string]
	convert    = sqlread.Convert[string]
	keyText    = sqlread.KeyText[string]
)

// The OIDs of the built-in types that are not read as text. They never change, see
// https://www.postgresql.org/docs/current/catalog-pg-type.html and pg_type.dat there.
const (
	oidBool        = 16
	oidBytea       = 17
	oidInt8        = 20
	oidInt2        = 21
	oidInt2Vector  = 22
	oidInt4        = 23
	oidOID         = 26
	oidXID         = 28
	oidCID         = 29
	oidOIDVector   = 30
	oidJSON        = 114
	oidPoint       = 600
	oidLseg        = 601
	oidPath        = 602
	oidBox         = 603
	oidPolygon     = 604
	oidLine        = 628
	oidFloat4      = 700
	oidFloat8      = 701
	oidCircle      = 718
	oidMoney       = 790
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestampTZ = 1184
	oidInterval    = 1186
	oidTimeTZ      = 1266
	oidBit         = 1560
	oidVarbit      = 1562
	oidNumeric     = 1700
	oidJSONB       = 3802
)

// firstUserOID is above all built-in types.
const firstUserOID = 16384

// scalar returns how to read a built-in type that is neither an array nor a domain; ok is false if the
// catalog must be read.
func scalar(oid uint32) (t columnType, ok bool) {
	switch oid {
	case oidInt2, oidInt4, oidInt8, oidOID, oidXID, oidCID:
		return columnType{Value: toInt, Zero: zeroNumber, Kind: source.Long, Digits: true}, true
	case oidBool:
		return columnType{Value: toBool, Key: keyBool, Zero: is("f"), Kind: source.Boolean}, true
	case oidFloat4:
		return columnType{Value: toFloat, Compat: toReal, Key: keyReal, Zero: zeroNumber, Kind: source.Double}, true
	case oidFloat8:
		return columnType{Value: toFloat, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}, true
	case oidNumeric:
		return columnType{Value: toDecimal, Compat: toDouble, Key: keyDecimal, Zero: zeroNumber, Kind: source.Decimal, CompatKind: source.Double}, true
	case oidMoney: // its own text depends on a locale
		return columnType{Value: toDecimal, Compat: toText, Key: keyDecimal, From: "%::numeric", CompatFrom: "%", Kind: source.Decimal, CompatKind: source.Text}, true
	case oidBytea:
		return columnType{Value: toBytes, Compat: toDecoded, Key: keyBytes, Zero: is(`\x`), Kind: source.Binary, CompatKind: source.Text}, true
	case oidDate:
		return columnType{Value: toDate, Compat: dateAs(keyDate), Key: keyDate, Kind: source.Date}, true
	case oidTimestamp:
		return columnType{Value: toTimestamp, Compat: dateAs(keyTimestamp), Key: keyTimestamp, Kind: source.Date}, true
	case oidTimestampTZ:
		return columnType{Value: toTimestampTZ, Compat: dateAs(keyTimestampTZ), Key: keyTimestampTZ, Kind: source.Date}, true
	case oidTime:
		return columnType{Value: toText, Compat: textAs(keyTime), Key: keyTime}, true
	case oidTimeTZ:
		return columnType{Value: toText, Compat: textAs(keyTimeTZ), Key: keyTimeTZ}, true
	case oidInterval:
		return columnType{Value: toText, Key: keyInterval, Zero: zeroInterval}, true
	case oidJSON:
		return columnType{Value: toText, Compat: toJSON}, true
	case oidJSONB:
		return columnType{Value: toText, Compat: toJSONB}, true
	case oidBit, oidVarbit:
		return columnType{Value: toText, Compat: toGroups}, true
	case oidPoint, oidLine:
		return columnType{Value: toText, Compat: toShape(tuple)}, true
	case oidLseg, oidBox, oidPolygon:
		return columnType{Value: toText, Compat: toShape(corners)}, true
	case oidPath:
		return columnType{Value: toText, Compat: toShape(track)}, true
	case oidCircle:
		return columnType{Value: toText, Compat: toShape(disc)}, true
	case oidInt2Vector, oidOIDVector: // arrays in the catalog, but not in their text
		return columnType{Value: toText}, true
	case 27, 650, 774, 829, 869, 2950: // tid, cidr, macaddr8, macaddr, inet, uuid
		return columnType{Value: toText, Kind: source.Keyword}, true
	case 18, 19, 25, 142, 1042, 1043, 3614, 3615, 4072: // "char", name, text, xml, char, varchar, tsvector, tsquery, jsonpath
		return columnType{Value: toText}, true
	}
	return columnType{}, false
}

func toText(text string) (document.Value, string) { return sqlread.Text(text) }

func toInt(text string) (document.Value, string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return document.Null(), "not an integer of 64 bits"
	}
	return document.Int(n), ""
}

func toBool(text string) (document.Value, string) { return document.Bool(text == "t"), "" }

func toFloat(text string) (document.Value, string) {
	if reason := notFinite(text); reason != "" {
		return document.Null(), reason
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return document.Null(), "not a number of 64 bits"
	}
	return document.Float(f), ""
}

func toDecimal(text string) (document.Value, string) {
	if reason := notFinite(text); reason != "" {
		return document.Null(), reason
	}
	return document.Decimal(text), ""
}

// notFinite says why a number has no JSON form.
func notFinite(text string) string {
	switch text {
	case "NaN", "Infinity", "-Infinity":
		return text + " is no JSON number"
	}
	return ""
}

func toBytes(text string) (document.Value, string) {
	digits, ok := strings.CutPrefix(text, `\x`)
	if !ok {
		return document.Null(), "binary data in an unknown form"
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return document.Null(), "binary data in an unknown form"
	}
	return document.Bytes(b), ""
}

// noDate says why an index cannot hold a date or time: the text of a valid one begins with a
// year of four digits and has no era.
func noDate(text string) string {
	switch {
	case strings.HasSuffix(text, "infinity"):
		return text + " is no date"
	case strings.HasSuffix(text, " BC"):
		return "a year before 1"
	case len(text) < 10 || text[4] != '-' || text[7] != '-':
		return "a year after 9999"
	}
	return ""
}

func toDate(text string) (document.Value, string) {
	if reason := noDate(text); reason != "" {
		return document.Null(), reason
	}
	return document.String(text), ""
}

// toTimestamp reads a time without a time zone as UTC.
func toTimestamp(text string) (document.Value, string) {
	if reason := noDate(text); reason != "" {
		return document.Null(), reason
	}
	return instant(text)
}

// toTimestampTZ reads a time in UTC, the time zone of the session.
func toTimestampTZ(text string) (document.Value, string) {
	if reason := noDate(text); reason != "" {
		return document.Null(), reason
	}
	text, ok := strings.CutSuffix(text, "+00")
	if !ok {
		return document.Null(), "a time that is not in UTC"
	}
	return instant(text)
}

// instant writes "2024-01-02 03:04:05.678" in RFC 3339; the server itself omits trailing zeros.
func instant(text string) (document.Value, string) {
	if len(text) < 19 || text[10] != ' ' {
		return document.Null(), "a time in an unknown form"
	}
	return document.String(text[:10] + "T" + text[11:] + "Z"), ""
}

// toNumbers reads a vector of the extension pgvector, "[1,2.5]".
func toNumbers(text string) (document.Value, string) {
	inner, ok := strings.CutPrefix(text, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	if !ok || !ok2 {
		return document.Null(), "a vector in an unknown form"
	}
	list := []document.Value{}
	for inner != "" {
		var one string
		one, inner, _ = strings.Cut(inner, ",")
		v, reason := toFloat(one)
		if reason != "" {
			return document.Null(), reason
		}
		list = append(list, v)
	}
	return document.List(list), ""
}
