package mssqltest

import (
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// unlimited is the size of max.
const unlimited = tdstest.Max

// typ is the type of a column, a parameter or a value.
type typ struct {
	base      string // its name in lower case
	size      int    // declared size of character and binary types; [unlimited] for max
	precision int    // of decimal
	scale     int    // of decimal and of times
	collation string // of character types; "" is that of the database
}

// named is a type without a size.
func named(base string) typ {
	t, _ := declare(base, nil)
	return t
}

// declare is a type with the numbers after its name; ok is false for an unknown type.
func declare(name string, sizes []int) (t typ, ok bool) {
	t.base = name
	first := func(otherwise int) int {
		if len(sizes) > 0 {
			return sizes[0]
		}
		return otherwise
	}
	switch {
	case !slices.Contains(knownTypes(), name):
		return t, false
	case t.isText() && !t.isOld() || name == "binary" || name == "varbinary":
		t.size = first(1)
	case name == "decimal" || name == "numeric":
		t.precision = first(18)
		if len(sizes) > 1 {
			t.scale = sizes[1]
		}
	case name == "money" || name == "smallmoney":
		t.scale = 4
	case name == "time" || name == "datetime2" || name == "datetimeoffset":
		t.scale = first(7)
	}
	return t, true
}

// knownTypes are all types; those that others are converted to come first.
func knownTypes() []string {
	return []string{
		"sql_variant", "xml", "hierarchyid", "geography", "geometry", "datetimeoffset", "datetime2", "datetime", "smalldatetime", "date", "time",
		"float", "real", "decimal", "numeric", "money", "smallmoney", "bigint", "int", "smallint", "tinyint", "bit", "ntext", "text", "image",
		"rowversion", "uniqueidentifier", "nvarchar", "nchar", "varchar", "char", "varbinary", "binary",
	}
}

// stronger is the type in which two values are compared.
func stronger(a, b typ) typ {
	all := knownTypes()
	if slices.Index(all, b.base) < slices.Index(all, a.base) {
		return b
	}
	return a
}

func (t typ) isInteger() bool {
	return slices.Contains([]string{"bigint", "int", "smallint", "tinyint"}, t.base)
}

func (t typ) isDecimal() bool {
	return slices.Contains([]string{"decimal", "numeric", "money", "smallmoney"}, t.base)
}

func (t typ) isText() bool {
	return slices.Contains([]string{"char", "varchar", "text", "nchar", "nvarchar", "ntext", "xml"}, t.base)
}

// isOld reports whether the type has no size because it is older than max.
func (t typ) isOld() bool { return slices.Contains([]string{"text", "ntext", "image", "xml"}, t.base) }

func (t typ) isTime() bool {
	return slices.Contains([]string{"date", "time", "datetime", "smalldatetime", "datetime2", "datetimeoffset"}, t.base)
}

func (t typ) isBinary() bool {
	return slices.Contains([]string{"binary", "varbinary", "image", "rowversion"}, t.base)
}

// isCLR reports whether values have methods. They are stored as their text.
func (t typ) isCLR() bool {
	return slices.Contains([]string{"hierarchyid", "geography", "geometry"}, t.base)
}

func (t typ) isWide() bool { return strings.HasPrefix(t.base, "n") && t.isText() }

// defaultCollation is that of the database.
const defaultCollation = "SQL_Latin1_General_CP1_CI_AS"

// collationName is the name of the collation of a text.
func (t typ) collationName() string {
	switch {
	case !t.isText() || t.base == "xml":
		return ""
	case t.collation == "":
		return defaultCollation
	}
	return t.collation
}

// isBinaryOrder reports whether texts are compared by their code points, including case.
func (t typ) isBinaryOrder() bool {
	return strings.Contains(t.collation, "_BIN")
}

// maxLength is the size in bytes, as in sys.columns.
func (t typ) maxLength() int64 {
	sizes := map[string]int64{
		"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "bit": 1, "real": 4, "float": 8, "money": 8, "smallmoney": 4, "date": 3, "time": 5,
		"datetime": 8, "smalldatetime": 4, "datetime2": 8, "datetimeoffset": 10, "uniqueidentifier": 16, "rowversion": 8, "text": 16, "ntext": 16,
		"image": 16, "xml": -1, "hierarchyid": 892, "geography": -1, "geometry": -1, "sql_variant": 8016,
	}
	switch n, fixed := sizes[t.base]; {
	case fixed:
		return n
	case t.isDecimal():
		return int64(map[bool]int{true: 5, false: 17}[t.precision <= 9])
	case t.size == unlimited:
		return -1
	case t.isWide():
		return 2 * int64(t.size)
	}
	return int64(t.size)
}

// precisionOf is the precision, as in sys.columns.
func (t typ) precisionOf() int64 {
	if t.base == "decimal" || t.base == "numeric" {
		return int64(t.precision)
	}
	return map[string]int64{
		"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19, "bit": 1, "real": 24, "float": 53, "money": 19, "smallmoney": 10,
		"date": 10, "time": 16, "datetime": 23, "smalldatetime": 16, "datetime2": 27, "datetimeoffset": 34,
	}[t.base]
}

// column is how a column of the type is sent.
func (t typ) column(name string, nullable bool) tdstest.Column {
	c := tdstest.Column{Name: name, Nullable: nullable, Size: t.size, Precision: t.precision, Scale: t.scale}
	c.Type = map[string]tdstest.Type{
		"tinyint": tdstest.TinyInt, "smallint": tdstest.SmallInt, "int": tdstest.Int, "bigint": tdstest.BigInt, "bit": tdstest.Bit,
		"decimal": tdstest.Decimal, "numeric": tdstest.Numeric, "money": tdstest.Money, "smallmoney": tdstest.SmallMoney,
		"real": tdstest.Real, "float": tdstest.Float, "char": tdstest.Char, "varchar": tdstest.VarChar, "nchar": tdstest.NChar,
		"nvarchar": tdstest.NVarChar, "text": tdstest.Text, "ntext": tdstest.NText, "image": tdstest.Image, "binary": tdstest.Binary,
		"varbinary": tdstest.VarBinary, "date": tdstest.Date, "time": tdstest.Time, "datetime2": tdstest.DateTime2,
		"datetimeoffset": tdstest.DateTimeOffset, "datetime": tdstest.DateTime, "smalldatetime": tdstest.SmallDateTime,
		"uniqueidentifier": tdstest.UniqueIdentifier, "xml": tdstest.XML, "rowversion": tdstest.RowVersion,
		"hierarchyid": tdstest.UDT, "geography": tdstest.UDT, "geometry": tdstest.UDT,
	}[t.base]
	if t.isCLR() {
		c.TypeName = t.base
	}
	return c
}
