package oracle

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. The driver gives numbers as digits, texts and LOBs as text or bytes, and
// times of day as they are on the wall where they were written. Types that it does not know, or gets wrong,
// are selected as something else.
//
// A value that JSON, or an index in which the others are dates or numbers, cannot hold is null, and
// a reason is noted in the document. A column never changes its JSON type between rows.

// declaration is a type as the catalogue has it.
type declaration struct {
	name, owner      string // owner is that of an object type; "" for those of the server
	precision, scale int64
	scaled           bool // a scale is given, and if not, the numbers are of any
}

// declaredType is how a column is read whose type is given as the catalogue has it, such as NUMBER and
// TIMESTAMP(6) WITH TIME ZONE.
func declaredType(d declaration) columnType {
	t := typeOf(&d)
	t.Declared = d.name
	return t
}

// resultType is how a column of a query is read, of which the driver gives the name of its type.
func resultType(name string, precision, scale int64) columnType {
	// Scales come as bytes, of which 255 is none, and those before it are below zero.
	d := declaration{name: name, precision: precision, scale: int64(int8(scale)), scaled: scale != 255}
	if known, ok := driverNames[name]; ok {
		d.name = known
	}
	return declaredType(d)
}

// objectType is what the driver says of every type that consists of others.
const objectType = "an object type"

// driverNames are the types of results, as the driver has them, in the words of the catalogue.
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

// bare is a type's name without the numbers behind it and within it.
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

// geometry is a type that not every server can write.
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

// builtIn are the types that the server brings with it, see
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
	case "BINARY_FLOAT": // of which the driver loses some, such as 0.7
		return columnType{Value: toReal, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, From: "TO_BINARY_DOUBLE(%)", Kind: source.Double}, true
	case "BINARY_DOUBLE":
		return columnType{Value: toFloat, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}, true
	case "CHAR", "VARCHAR2", "VARCHAR":
		return columnType{Value: toText, Bind: "%"}, true
	case "NCHAR", "NVARCHAR2": // of which the database's own character set may lack some
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
	case "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE": // where the driver mixes zones up
		return columnType{Value: toTime, Compat: toNaive, Key: keyTime, From: "SYS_EXTRACT_UTC(%)", CompatFrom: "CAST(% AS TIMESTAMP)", Kind: source.Date}, true
	case "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND": // of which the driver gets those below zero wrong
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

// numberType is how numbers are read. Whole numbers that a field of the type long holds are numbers, all
// others digits in a text.
func numberType(d *declaration) columnType {
	t := columnType{
		Value: toDecimal, Compat: toWholeOrDouble, Key: keyNumber, Zero: zeroNumber, Bind: "%", Argument: numberArgument,
		Kind: source.Decimal, CompatKind: source.Double,
		Digits: d.scaled, // one of any scale may hold what other programs left behind as infinity
	}
	switch {
	case !d.scaled:
	case d.scale > 0:
		t.Compat = toDouble
	case d.precision > 0 && d.precision-d.scale <= 18:
		t.Value, t.Compat, t.Kind, t.CompatKind = toWhole, toWhole, source.Long, source.Long
	}
	return t
}
