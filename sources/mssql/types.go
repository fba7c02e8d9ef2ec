package mssql

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. Values come as the driver decodes them; where it decodes none, or not
// rightly, the server is asked for a text.
//
// A value that JSON, or an index in which the others are dates or numbers, cannot hold is null, and
// a reason is noted in the document. A column never changes its JSON type between rows.

// columnType is how values of a type are read.
type columnType struct {
	value  convert
	compat convert // what value is in the encoding compat; nil: the same
	key    keyText // nil: as it is
	plain  keyText // what key is in the profile native; nil: as it is
	zero   zero    // nil: only empty text is
	// read is the expression that is selected in place of the column; nil is the column itself.
	read func(ident string) string
	// native is set where the encoding compat has what the driver makes of the column itself.
	native bool
	// bind is the parameter @p as a value of the type, for the server to compare a column with; "" where
	// the type has no order, or equality is not to be trusted.
	bind string
	// given is what the parameter is given for a value of the driver; nil is the value itself.
	given    func(v driver.Value) driver.Value
	declared string           // as the table has it
	kind     source.FieldKind // "" is text
	// compatKind is what kind is in the encoding compat; "" is the same.
	compatKind source.FieldKind
	// digits reports that ids have every value of the type without other characters than digits and "+-._E".
	digits bool
	// unknown is the name of a type that is read as bytes for want of a better idea.
	unknown string
}

// zero reports whether a value says nothing, such as 0.
type zero func(v driver.Value) bool

// convert makes a value of what the driver gave, which is not NULL. reason is what was lost; "" for nothing.
type convert func(v driver.Value) (value document.Value, reason string)

// parameter is what the parameter of a comparison is given for a value of the column.
func (t *columnType) parameter(v driver.Value) driver.Value {
	if t.given == nil {
		return v
	}
	return t.given(v)
}

// declaration is the type of a column as the catalogue has it.
type declaration struct {
	name                     string // of the base type
	length, precision, scale int64  // the length in bytes, -1 for max
	collation                string
	encrypted                bool // by the client; this one has no key
	old                      bool // the server is older than 2016
}

// columnType is how a column that is declared so is read.
func (d *declaration) columnType() columnType {
	if d.encrypted {
		return columnType{
			value: toBytes, compat: toDecoded, key: keyBytes, plain: plainBytes, declared: "encrypted " + d.name,
			kind: source.Binary, compatKind: source.Text,
		}
	}
	t := typeOf(d.name)
	t.declared = d.written()
	switch d.name {
	case "char", "varchar", "text":
		t.value, t.read = toDecodedText, d.asUnicode
		if d.name != "text" && isName(d.collation) {
			t.bind = "CONVERT(" + t.declared + ", @p COLLATE " + d.collation + ")"
		}
	case "decimal", "numeric", "binary", "varbinary", "datetime2", "datetimeoffset", "time":
		t.bind = strings.Replace(t.bind, d.name, t.declared, 1)
	case "sql_variant":
		t.read = func(ident string) string { return variantText(ident, d.old) }
	}
	return t
}

// driverCodePage is the one that the driver decodes as the server does, but for five bytes that it has no
// characters for: it knows a collation by its locale alone, and takes those that it does not know, or that are
// UTF-8, for this one. It counts for the queries of rules, which are run as they are written.
const driverCodePage = 1252

// asUnicode has the server decode characters. The driver would make one of several that code page 1252 does not
// define, and two keys might become one.
func (d *declaration) asUnicode(ident string) string {
	if d.name == "text" || d.length < 0 || d.length > 4000 {
		return "CONVERT(nvarchar(max), " + ident + ")"
	}
	return fmt.Sprintf("CONVERT(nvarchar(%d), %s)", d.length, ident)
}

// written is the type as SQL has it.
func (d *declaration) written() string {
	switch d.name {
	case "char", "varchar", "binary", "varbinary":
		if d.length < 0 {
			return d.name + "(max)"
		}
		return fmt.Sprintf("%s(%d)", d.name, d.length)
	case "nchar", "nvarchar":
		if d.length < 0 {
			return d.name + "(max)"
		}
		return fmt.Sprintf("%s(%d)", d.name, d.length/2)
	case "decimal", "numeric":
		return fmt.Sprintf("%s(%d, %d)", d.name, d.precision, d.scale)
	case "datetime2", "datetimeoffset", "time":
		return fmt.Sprintf("%s(%d)", d.name, d.scale)
	}
	return d.name
}

// isName reports whether a text is an identifier that needs no quotes, as the names of collations are.
func isName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// resultType is how a column of a result is read, given the driver's name of its type, such as BIGINT.
func resultType(name string) columnType {
	t := typeOf(strings.ToLower(name))
	if slices.Contains([]string{"CHAR", "VARCHAR", "TEXT"}, name) {
		t.value = toResultText
	}
	t.declared = name
	return t
}

func typeOf(name string) columnType {
	switch name {
	case "tinyint", "smallint", "int", "bigint":
		return columnType{value: toInt, zero: zeroNumber, bind: "CONVERT(" + name + ", @p)", kind: source.Long, digits: true}
	case "bit":
		return columnType{value: toFlag, key: keyFlag, zero: zeroNumber, bind: "@p", kind: source.Boolean}
	case "real":
		return columnType{value: toReal, compat: toDouble, key: keyFloat, zero: zeroNumber, kind: source.Double}
	case "float":
		return columnType{value: toFloat, compat: toDouble, key: keyFloat, zero: zeroNumber, kind: source.Double}
	case "decimal", "numeric", "money", "smallmoney":
		return columnType{
			value: toDecimal, compat: toDouble, key: keyDecimal, zero: zeroNumber, bind: "CONVERT(" + name + ", @p)", given: givenText,
			kind: source.Decimal, compatKind: source.Double, digits: true,
		}
	case "char", "varchar":
		return columnType{value: toText, bind: "CONVERT(" + name + "(8000), @p)"}
	case "nchar", "nvarchar", "sysname":
		return columnType{value: toText, bind: "@p"}
	case "text", "ntext", "xml":
		return columnType{value: toText}
	case "json":
		return columnType{value: toText, read: asText}
	case "vector":
		return columnType{value: toNumbers, compat: toText, read: asText, kind: source.Double, compatKind: source.Text}
	case "date":
		return columnType{value: toDate, key: keyDate, plain: keyDate, bind: "CONVERT(date, @p)", given: givenDate, kind: source.Date}
	case "time":
		return columnType{value: toClock, compat: toClockISO, key: keyClock, plain: plainClock, bind: "CONVERT(time, @p)", given: givenClock}
	case "smalldatetime", "datetime":
		return columnType{value: toInstant, compat: toNaive, key: keyTime, bind: "CONVERT(" + name + ", @p, 121)", given: givenMillis, kind: source.Date}
	case "datetime2":
		return columnType{value: toInstant, compat: toNaive, key: keyTime, bind: "CONVERT(datetime2, @p)", given: givenTime, kind: source.Date}
	case "datetimeoffset":
		return columnType{value: toInstant, compat: toZoned, key: keyZoned, bind: "CONVERT(datetimeoffset, @p)", given: givenZoned, kind: source.Date}
	case "uniqueidentifier":
		return columnType{value: toGUID, key: keyGUID, plain: keyGUID, bind: "CONVERT(uniqueidentifier, @p)", given: givenGUID, kind: source.Keyword}
	case "binary", "varbinary":
		return columnType{
			value: toBytes, compat: toDecoded, key: keyBytes, plain: plainBytes, bind: "CONVERT(" + name + ", @p)",
			kind: source.Binary, compatKind: source.Text,
		}
	case "image":
		return columnType{value: toBytes, compat: toDecoded, kind: source.Binary, compatKind: source.Text}
	case "timestamp", "rowversion":
		return columnType{
			value: toHex, compat: toDecoded, key: keyBytes, plain: plainBytes, bind: "CONVERT(binary(8), @p)",
			kind: source.Keyword, compatKind: source.Text,
		}
	case "hierarchyid":
		return columnType{value: toText, compat: toDecoded, read: method("ToString"), native: true}
	case "geometry", "geography":
		return columnType{value: toText, compat: toDecoded, read: method("AsTextZM"), native: true}
	case "sql_variant":
		return columnType{value: toVariant}
	}
	return columnType{
		value: toBytes, compat: toDecoded, key: keyBytes, plain: plainBytes, read: asBytes, unknown: name,
		kind: source.Binary, compatKind: source.Text,
	}
}

func asText(ident string) string { return "CONVERT(nvarchar(max), " + ident + ")" }

func asBytes(ident string) string { return "CONVERT(varbinary(max), " + ident + ")" }

// method calls one of the methods that the types of .NET have.
func method(name string) func(ident string) string {
	return func(ident string) string { return ident + "." + name + "()" }
}

// variantText is a value of the type sql_variant as text, behind the name of its own type and a colon. By
// itself the server would write floats and money with fewer digits than they have, and dates as the
// language of the login has them.
func variantText(ident string, old bool) string {
	base := "CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY(" + ident + ", 'BaseType'))"
	float := "3" // 17 digits, which are of no other float
	if old {
		float = "2" // 16 digits
	}
	// There is no nvarchar of 8,000 characters in a variant, and by varchar letters that the database's own code page
	// lacks would be lost: so they are only behind the first 4,000.
	halves := "CONVERT(nvarchar(max), CONVERT(nvarchar(4000), " + ident + ")) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), " + ident + ")), 4001, 4000)"
	return base + " + N':' + CASE " + base +
		" WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, " + ident + "), " + float + ")" +
		" WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(float, " + ident + "), " + float + ")" +
		" WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, " + ident + "), 2)" +
		" WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, " + ident + "), 2)" +
		" WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), " + ident + "), 2)" +
		" WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), " + ident + "), 2)" +
		" WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, " + ident + "), 23)" +
		" WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), " + ident + "), 121)" +
		" WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), " + ident + "), 121)" +
		" WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, " + ident + "), 121)" +
		" WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, " + ident + "), 121)" +
		" WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), " + ident + "), 121)" +
		" WHEN N'char' THEN " + halves + " WHEN N'varchar' THEN " + halves +
		" ELSE CONVERT(nvarchar(4000), " + ident + ") END"
}
