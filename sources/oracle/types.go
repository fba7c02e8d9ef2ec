package oracle

import (
	"cmp"
	"database/sql/driver"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. The driver gives numbers as digits, texts and LOBs as text or bytes, and
// times of day as they are on the wall where they were written. Types that it does not know, or gets wrong,
// are selected as something else.
//
// A value that JSON, or an index in which the others are dates or numbers, cannot hold is null, and
// a reason is noted in the document. A column never changes its JSON type between rows.

// columnType is how values of a type are read.
type columnType struct {
	value  convert
	compat convert // what value is in the encoding compat; nil: the same
	key    keyText // nil: as it is
	zero   zero    // nil: never
	from   string  // what is selected, with % for the column; "" for the column itself
	// compatFrom is what from is in the encoding compat; "" for the same.
	compatFrom string
	// bind is a parameter of the type, with % for its name, for the server to compare a column with; "" where
	// what is greater does not come later, or equality is not to be trusted.
	bind     string
	argument func(v driver.Value) driver.Value // what bind takes for a value; nil: the value
	kind     source.FieldKind                  // "" is text
	// compatKind is what kind is in the encoding compat; "" is the same.
	compatKind source.FieldKind
	// digits reports that ids have every value of the type without other characters than digits and "+-._E".
	digits   bool
	geometry bool   // which not every server can write
	declared string // as the table has it
	unknown  bool   // it is read as text for want of a better idea
	omitted  bool   // it cannot be read
}

// zero reports whether a value says nothing, such as 0. Texts of no characters are NULL in Oracle.
type zero func(v driver.Value) bool

// convert makes a value of what the driver gave, which is not nil. reason is what was lost; "" for nothing.
type convert func(v driver.Value) (value document.Value, reason string)

// selected is a column as it stands in the list of a SELECT.
func (t *columnType) selected(name string) string {
	if t.from == "" {
		return name
	}
	return strings.ReplaceAll(t.from, "%", name)
}

// compared is a parameter as a column is compared with it.
func (t *columnType) compared(parameter string) string {
	return strings.ReplaceAll(t.bind, "%", parameter)
}

// encoded is the type with the converter of one encoding, as value, and its kind.
func (t columnType) encoded(compat bool) columnType {
	if compat {
		t.kind = cmp.Or(t.compatKind, t.kind)
	}
	if compat && t.compat != nil {
		t.value = t.compat
	}
	if compat && t.compatFrom != "" {
		t.from = t.compatFrom
	}
	return t
}

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
	t.declared = d.name
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

func typeOf(d *declaration) columnType {
	switch name := bare(d.name); {
	case name == "XMLTYPE":
		return columnType{value: toText, from: "XMLSERIALIZE(CONTENT % AS CLOB)"}
	case name == "SDO_GEOMETRY":
		return columnType{value: toJSON, from: "MDSYS.SDO_UTIL.TO_GEOJSON(%)", geometry: true, kind: source.Object}
	case d.owner != "":
		return columnType{value: toText, omitted: true}
	default:
		if t, known := builtIn(name, d); known {
			return t
		}
		return columnType{value: toText, unknown: true}
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
			value: toDecimal, compat: toDouble, key: keyFloat, zero: zeroNumber, bind: "%", argument: numberArgument,
			kind: source.Decimal, compatKind: source.Double,
		}, true
	case "BINARY_FLOAT": // of which the driver loses some, such as 0.7
		return columnType{value: toReal, compat: toDouble, key: keyFloat, zero: zeroNumber, from: "TO_BINARY_DOUBLE(%)", kind: source.Double}, true
	case "BINARY_DOUBLE":
		return columnType{value: toFloat, compat: toDouble, key: keyFloat, zero: zeroNumber, kind: source.Double}, true
	case "CHAR", "VARCHAR2", "VARCHAR":
		return columnType{value: toText, bind: "%"}, true
	case "NCHAR", "NVARCHAR2": // of which the database's own character set may lack some
		return columnType{value: toText, bind: "%", argument: nationalArgument}, true
	case "CLOB", "NCLOB", "LONG":
		return columnType{value: toText}, true
	case "ROWID", "UROWID":
		return columnType{value: toText, kind: source.Keyword}, true
	case "RAW":
		return columnType{value: toBytes, compat: toDecoded, key: keyBytes, bind: "%", kind: source.Binary, compatKind: source.Text}, true
	case "BLOB", "LONG RAW":
		return columnType{value: toBytes, compat: toDecoded, key: keyBytes, kind: source.Binary, compatKind: source.Text}, true
	case "BFILE":
		return columnType{value: toFile, kind: source.Object}, true
	case "DATE":
		return columnType{
			value: toTime, compat: toNaive, key: keyTime, kind: source.Date,
			bind: "TO_DATE(%, 'YYYY-MM-DD\"T\"HH24:MI:SS')", argument: timeArgument("2006-01-02T15:04:05"),
		}, true
	case "TIMESTAMP":
		return columnType{
			value: toTime, compat: toNaive, key: keyTime, kind: source.Date,
			bind: "TO_TIMESTAMP(%, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')", argument: timeArgument("2006-01-02T15:04:05.000000000"),
		}, true
	case "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE": // where the driver mixes zones up
		return columnType{value: toTime, compat: toNaive, key: keyTime, from: "SYS_EXTRACT_UTC(%)", compatFrom: "CAST(% AS TIMESTAMP)", kind: source.Date}, true
	case "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND": // of which the driver gets those below zero wrong
		return columnType{value: toText, from: "TO_CHAR(%)"}, true
	case "BOOLEAN":
		return columnType{value: toBool, key: keyBool, zero: zeroBool, kind: source.Boolean}, true
	case "JSON":
		return columnType{value: toText, compat: toJSON, from: "JSON_SERIALIZE(% RETURNING CLOB)"}, true
	case "VECTOR":
		return columnType{value: toJSON, from: "VECTOR_SERIALIZE(% RETURNING CLOB)", kind: source.Double}, true
	case "REF", "ANYDATA", objectType:
		return columnType{value: toText, omitted: true}, true
	}
	return columnType{}, false
}

// numberType is how numbers are read. Whole numbers that a field of the type long holds are numbers, all
// others digits in a text.
func numberType(d *declaration) columnType {
	t := columnType{
		value: toDecimal, compat: toWholeOrDouble, key: keyNumber, zero: zeroNumber, bind: "%", argument: numberArgument,
		kind: source.Decimal, compatKind: source.Double,
		digits: d.scaled, // one of any scale may hold what other programs left behind as infinity
	}
	switch {
	case !d.scaled:
	case d.scale > 0:
		t.compat = toDouble
	case d.precision > 0 && d.precision-d.scale <= 18:
		t.value, t.compat, t.kind, t.compatKind = toWhole, toWhole, source.Long, source.Long
	}
	return t
}
