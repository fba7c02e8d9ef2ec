package mssql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. Values have the driver's types; if the driver cannot decode a type, or
// decodes it wrongly, the server converts it to text.
//
// A value that JSON, or an index of dates or numbers, cannot hold is null, and
// the reason is noted in the document. A column never changes its JSON type between rows.

// declaration is the type of a column in the catalog.
type declaration struct {
	name                     string // of the base type
	length, precision, scale int64  // the length in bytes, -1 for max
	collation                string
	encrypted                bool // by a client; this one has no key
	old                      bool // the server is older than 2016
}

// columnType returns how to read a column with this declaration.
func (d *declaration) columnType() columnType {
	if d.encrypted {
		return columnType{
			Value: toBytes, Compat: toDecoded, Key: keyBytes, Plain: plainBytes, Declared: "encrypted " + d.name,
			Kind: source.Binary, CompatKind: source.Text,
		}
	}
	t := typeOf(d.name)
	t.Declared = d.written()
	switch d.name {
	case "char", "varchar", "text":
		t.Value, t.From = toDecodedText, d.asUnicode()
		if d.name != "text" && isName(d.collation) {
			t.Bind = "CONVERT(" + t.Declared + ", @p COLLATE " + d.collation + ")"
		}
	case "decimal", "numeric", "binary", "varbinary", "datetime2", "datetimeoffset", "time":
		t.Bind = strings.Replace(t.Bind, d.name, t.Declared, 1)
	case "sql_variant":
		t.From = variantText(d.old)
	}
	return t
}

// driverCodePage is the code page that the driver decodes as the server does, except for five bytes without
// characters. It recognizes a collation only by its locale, and treats unknown and
// UTF-8 collations as this one. It matters for the queries of rules, which run unchanged.
const driverCodePage = 1252

// asUnicode makes the server decode characters. The driver would map several that code page 1252 does not
// define to one, and two keys might become equal.
func (d *declaration) asUnicode() string {
	if d.name == "text" || d.length < 0 || d.length > 4000 {
		return asText
	}
	return fmt.Sprintf("CONVERT(nvarchar(%d), %%)", d.length)
}

// written is the type in SQL.
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

// isName reports whether a text is an identifier that needs no quotes, like the names of collations.
func isName(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// resultType returns how to read a column of a result, given the driver's name of its type, such as BIGINT.
func resultType(name string) columnType {
	t := typeOf(strings.ToLower(name))
	if slices.Contains([]string{"CHAR", "VARCHAR", "TEXT"}, name) {
		t.Value = toResultText
	}
	t.Declared = name
	return t
}

func typeOf(name string) columnType {
	switch name {
	case "tinyint", "smallint", "int", "bigint":
		return columnType{Value: toInt, Zero: zeroNumber, Bind: "CONVERT(" + name + ", @p)", Kind: source.Long, Digits: true}
	case "bit":
		return columnType{Value: toFlag, Key: keyFlag, Zero: zeroNumber, Bind: "@p", Kind: source.Boolean}
	case "real":
		return columnType{Value: toReal, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}
	case "float":
		return columnType{Value: toFloat, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}
	case "decimal", "numeric", "money", "smallmoney":
		return columnType{
			Value: toDecimal, Compat: toDouble, Key: keyDecimal, Zero: zeroNumber, Bind: "CONVERT(" + name + ", @p)", Argument: givenText,
			Kind: source.Decimal, CompatKind: source.Double, Digits: true,
		}
	case "char", "varchar":
		return columnType{Value: toText, Bind: "CONVERT(" + name + "(8000), @p)"}
	case "nchar", "nvarchar", "sysname":
		return columnType{Value: toText, Bind: "@p"}
	case "text", "ntext", "xml":
		return columnType{Value: toText}
	case "json":
		return columnType{Value: toText, From: asText}
	case "vector":
		return columnType{Value: toNumbers, Compat: toText, From: asText, Kind: source.Double, CompatKind: source.Text}
	case "date":
		return columnType{Value: toDate, Key: keyDate, Plain: keyDate, Bind: "CONVERT(date, @p)", Argument: givenDate, Kind: source.Date}
	case "time":
		return columnType{Value: toClock, Compat: toClockISO, Key: keyClock, Plain: plainClock, Bind: "CONVERT(time, @p)", Argument: givenClock}
	case "smalldatetime", "datetime":
		return columnType{Value: toInstant, Compat: toNaive, Key: keyTime, Bind: "CONVERT(" + name + ", @p, 121)", Argument: givenMillis, Kind: source.Date}
	case "datetime2":
		return columnType{Value: toInstant, Compat: toNaive, Key: keyTime, Bind: "CONVERT(datetime2, @p)", Argument: givenTime, Kind: source.Date}
	case "datetimeoffset":
		return columnType{Value: toInstant, Compat: toZoned, Key: keyZoned, Bind: "CONVERT(datetimeoffset, @p)", Argument: givenZoned, Kind: source.Date}
	case "uniqueidentifier":
		return columnType{Value: toGUID, Key: keyGUID, Plain: keyGUID, Bind: "CONVERT(uniqueidentifier, @p)", Argument: givenGUID, Kind: source.Keyword}
	case "binary", "varbinary":
		return columnType{
			Value: toBytes, Compat: toDecoded, Key: keyBytes, Plain: plainBytes, Bind: "CONVERT(" + name + ", @p)",
			Kind: source.Binary, CompatKind: source.Text,
		}
	case "image":
		return columnType{Value: toBytes, Compat: toDecoded, Kind: source.Binary, CompatKind: source.Text}
	case "timestamp", "rowversion":
		return columnType{
			Value: toHex, Compat: toDecoded, Key: keyBytes, Plain: plainBytes, Bind: "CONVERT(binary(8), @p)",
			Kind: source.Keyword, CompatKind: source.Text,
		}
	case "hierarchyid":
		return columnType{Value: toText, Compat: toDecoded, From: "%.ToString()", CompatFrom: "%"}
	case "geometry", "geography":
		return columnType{Value: toText, Compat: toDecoded, From: "%.AsTextZM()", CompatFrom: "%"}
	case "sql_variant":
		return columnType{Value: toVariant}
	}
	return columnType{
		Value: toBytes, Compat: toDecoded, Key: keyBytes, Plain: plainBytes, From: asBytes, Unknown: name,
		Kind: source.Binary, CompatKind: source.Text,
	}
}

// Expressions that are selected instead of a column.
const (
	asText  = "CONVERT(nvarchar(max), %)"
	asBytes = "CONVERT(varbinary(max), %)"
)

// variantText is a value of the type sql_variant as text, after the name of its own type and a colon. Otherwise
// the server would write floats and money with fewer digits than they have, and dates in
// the language of the login.
func variantText(old bool) string {
	base := "CONVERT(nvarchar(60), SQL_VARIANT_PROPERTY(%, 'BaseType'))"
	float := "3" // 17 digits, which identify a float
	if old {
		float = "2" // 16 digits
	}
	// A variant cannot hold an nvarchar of 8,000 characters, and varchar would lose letters that the database's own code page
	// lacks: so those are lost only after the first 4,000.
	halves := "CONVERT(nvarchar(max), CONVERT(nvarchar(4000), %)) + SUBSTRING(CONVERT(nvarchar(max), CONVERT(varchar(8000), %)), 4001, 4000)"
	return base + " + N':' + CASE " + base +
		" WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, %), " + float + ")" +
		" WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(float, %), " + float + ")" +
		" WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, %), 2)" +
		" WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, %), 2)" +
		" WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), %), 2)" +
		" WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), %), 2)" +
		" WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, %), 23)" +
		" WHEN N'time' THEN CONVERT(nvarchar(max), CONVERT(time(7), %), 121)" +
		" WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), %), 121)" +
		" WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, %), 121)" +
		" WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, %), 121)" +
		" WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), %), 121)" +
		" WHEN N'char' THEN " + halves + " WHEN N'varchar' THEN " + halves +
		" ELSE CONVERT(nvarchar(4000), %) END"
}
