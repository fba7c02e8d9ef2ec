package oracle

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. The driver returns numbers as digits, texts and LOBs as text or bytes, and
// times of day as they were written. Types that it does not know, or decodes wrongly,
// are converted in the SELECT.
//
// A value that JSON, or an index of dates or numbers, cannot hold is null, and
// the reason is noted in the document. A column never changes its JSON type between rows.

// declaration is a type in the catalog.
type declaration struct {
	name, owner      string // owner is the owner of an object type; "" for built-in types
	precision, scale int64
	scaled           bool // a scale is declared; otherwise numbers may have any
}

// declaredType returns how to read a column with a type of the catalog, such as NUMBER and
// TIMESTAMP(6) WITH TIME ZONE.
func declaredType(d declaration) columnType {
	t := typeOf(&d)
	t.Declared = d.name
	return t
}

// resultType returns how to read a column of a query, with the driver's name of its type.
func resultType(name string, precision, scale int64) columnType {
	// Scales are bytes: 255 means none, and the values before it are negative.
	d := declaration{name: name, precision: precision, scale: int64(int8(scale)), scaled: scale != 255}
	if known, ok := driverNames[name]; ok {
		d.name = known
	}
	return declaredType(d)
}

// objectType is the driver's name of every composite type.
const objectType = "an object type"

// driverNames maps the driver's types of results to the names of the catalog.
var driverNames = map[string]string{
	"NCHAR": "VARCHAR2", "VARCHAR": "VARCHAR2", "LongVarChar": "LONG", "LongRaw": "LONG RAW",
	"OCIClobLocator": "CLOB", "OCIBlobLocator": "BLOB", "OCIFileLocator": "BFILE",
	"IBFloat": "BINARY_FLOAT", "IBDouble": "BINARY_DOUBLE", "TNSType(252)": "BOOLEAN", "TNSType(119)": "JSON",
	"TimeStampDTY": "TIMESTAMP", "TimeStampTZ_DTY": "TIMESTAMP WITH TIME ZONE", "TimeStampTZ": "TIMESTAMP WITH TIME ZONE",
	"TimeStampLTZ_DTY": "TIMESTAMP WITH LOCAL TIME ZONE", "TimeStampeLTZ": "TIMESTAMP WITH LOCAL TIME ZONE",
	"IntervalYM_DTY": "INTERVAL YEAR TO MONTH", "IntervalYM": "INTERVAL YEAR TO MONTH",
	"IntervalDS_DTY": "INTERVAL DAY TO SECOND", "IntervalDS": "INTERVAL DAY TO SECOND",
	"TNSType(127)": "VECTOR", "OCIRef": "REF", "XMLType": objectType, "OCIXMLType": objectType,
}

// bare is a type's name without the numbers after it and within it.
func bare(name string) string {
	for {
		before, rest, found := strings.Cut(name, "(")
		if !found {
			return name
		}
		_, after, _ := strings.Cut(rest, ")")
		name = before + after
	}
}

// geometry is a type that not every server can convert to JSON.
const geometry = "SDO_GEOMETRY"

func typeOf(d *declaration) columnType {
	switch name := bare(d.name); {
	case name == "XMLTYPE":
		return columnType{Value: toText, From: "XMLSERIALIZE(CONTENT % AS CLOB)"}
	case name == geometry:
		return columnType{Value: toJSON, From: "MDSYS.SDO_UTIL.TO_GEOJSON(%)", Kind: source.Object}
	case d.owner != "":
		return columnType{}
	default:
		if t, known := builtIn(name, d); known {
			return t
		}
		return columnType{Value: toText, Unknown: d.name}
	}
}

// builtIn returns the built-in types, see
// https://docs.oracle.com/en/database/oracle/oracle-database/23/sqlrf/Data-Types.html.
func builtIn(name string, d *declaration) (t columnType, known bool) {
	switch name {
	case "NUMBER", "INTEGER":
		return numberType(d), true
	case "FLOAT":
		return columnType{
			Value: toDecimal, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Bind: "%", Argument: numberArgument,
			Kind: source.Decimal, CompatKind: source.Double,
		}, true
	case "BINARY_FLOAT": // the driver decodes some wrongly, such as 0.7
		return columnType{Value: toReal, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, From: "TO_BINARY_DOUBLE(%)", Kind: source.Double}, true
	case "BINARY_DOUBLE":
		return columnType{Value: toFloat, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}, true
	case "CHAR", "VARCHAR2", "VARCHAR":
		return columnType{Value: toText, Bind: "%"}, true
	case "NCHAR", "NVARCHAR2": // the database's own character set may lack some characters
		return columnType{Value: toText, Bind: "%", Argument: nationalArgument}, true
	case "CLOB", "NCLOB", "LONG":
		return columnType{Value: toText}, true
	case "ROWID", "UROWID":
		return columnType{Value: toText, Kind: source.Keyword}, true
	case "RAW":
		return columnType{Value: toBytes, Compat: toDecoded, Key: keyBytes, Bind: "%", Kind: source.Binary, CompatKind: source.Text}, true
	case "BLOB", "LONG RAW":
		return columnType{Value: toBytes, Compat: toDecoded, Key: keyBytes, Kind: source.Binary, CompatKind: source.Text}, true
	case "BFILE":
		return columnType{Value: toFile, Kind: source.Object}, true
	case "DATE":
		return columnType{
			Value: toTime, Compat: toNaive, Key: keyTime, Kind: source.Date,
			Bind: "TO_DATE(%, 'YYYY-MM-DD\"T\"HH24:MI:SS')", Argument: timeArgument("2006-01-02T15:04:05"),
		}, true
	case "TIMESTAMP":
		return columnType{
			Value: toTime, Compat: toNaive, Key: keyTime, Kind: source.Date,
			Bind: "TO_TIMESTAMP(%, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')", Argument: timeArgument("2006-01-02T15:04:05.000000000"),
		}, true
	case "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE": // the driver mixes up time zones
		return columnType{Value: toTime, Compat: toNaive, Key: keyTime, From: "SYS_EXTRACT_UTC(%)", CompatFrom: "CAST(% AS TIMESTAMP)", Kind: source.Date}, true
	case "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND": // the driver decodes negative ones wrongly
		return columnType{Value: toText, From: "TO_CHAR(%)"}, true
	case "BOOLEAN":
		return columnType{Value: toBool, Key: keyBool, Zero: zeroBool, Kind: source.Boolean}, true
	case "JSON":
		return columnType{Value: toText, Compat: toJSON, From: "JSON_SERIALIZE(% RETURNING CLOB)"}, true
	case "VECTOR":
		return columnType{Value: toJSON, From: "VECTOR_SERIALIZE(% RETURNING CLOB)", Kind: source.Double}, true
	case "REF", "ANYDATA", objectType:
		return columnType{}, true
	}
	return columnType{}, false
}

// numberType returns how to read numbers. Integers that fit a field of the type long are numbers; all
// others are text with their digits.
func numberType(d *declaration) columnType {
	t := columnType{
		Value: toDecimal, Compat: toIntegerOrDouble, Key: keyNumber, Zero: zeroNumber, Bind: "%", Argument: numberArgument,
		Kind: source.Decimal, CompatKind: source.Double,
		Digits: d.scaled, // a number of any scale may be infinity, written by another program
	}
	switch {
	case !d.scaled:
	case d.scale > 0:
		t.Compat = toDouble
	case d.precision > 0 && d.precision-d.scale <= 18:
		t.Value, t.Compat, t.Kind, t.CompatKind = toInteger, toInteger, source.Long, source.Long
	}
	return t
}
