package mssqltest

import (
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

// family are types that have the same kind of values.
type family uint8

const (
	others family = iota
	integers
	decimals
	texts
	times
	binaries
	clr // types of .NET; values are stored as their text
)

// kinds are all types; those that others are converted to come first.
var kinds = []struct {
	name   string
	tds    tdstest.Type // zero for a type that is never sent
	family family
	bytes  int64 // as in sys.columns; zero depends on the size
	digits int64 // precision as in sys.columns; of decimal and numeric, the declared one
}{
	{"sql_variant", 0, others, 8016, 0},
	{"xml", tdstest.XML, texts, -1, 0},
	{"hierarchyid", tdstest.UDT, clr, 892, 0},
	{"geography", tdstest.UDT, clr, -1, 0},
	{"geometry", tdstest.UDT, clr, -1, 0},
	{"datetimeoffset", tdstest.DateTimeOffset, times, 10, 34},
	{"datetime2", tdstest.DateTime2, times, 8, 27},
	{"datetime", tdstest.DateTime, times, 8, 23},
	{"smalldatetime", tdstest.SmallDateTime, times, 4, 16},
	{"date", tdstest.Date, times, 3, 10},
	{"time", tdstest.Time, times, 5, 16},
	{"float", tdstest.Float, others, 8, 53},
	{"real", tdstest.Real, others, 4, 24},
	{"decimal", tdstest.Decimal, decimals, 17, 0},
	{"numeric", tdstest.Numeric, decimals, 17, 0},
	{"money", tdstest.Money, decimals, 8, 19},
	{"smallmoney", tdstest.SmallMoney, decimals, 4, 10},
	{"bigint", tdstest.BigInt, integers, 8, 19},
	{"int", tdstest.Int, integers, 4, 10},
	{"smallint", tdstest.SmallInt, integers, 2, 5},
	{"tinyint", tdstest.TinyInt, integers, 1, 3},
	{"bit", tdstest.Bit, others, 1, 1},
	{"ntext", tdstest.NText, texts, 16, 0},
	{"text", tdstest.Text, texts, 16, 0},
	{"image", tdstest.Image, binaries, 16, 0},
	{"rowversion", tdstest.RowVersion, binaries, 8, 0},
	{"uniqueidentifier", tdstest.UniqueIdentifier, others, 16, 0},
	{"nvarchar", tdstest.NVarChar, texts, 0, 0},
	{"nchar", tdstest.NChar, texts, 0, 0},
	{"varchar", tdstest.VarChar, texts, 0, 0},
	{"char", tdstest.Char, texts, 0, 0},
	{"varbinary", tdstest.VarBinary, binaries, 0, 0},
	{"binary", tdstest.Binary, binaries, 0, 0},
}

// rank is the position of a type in [kinds]; -1 for an unknown type.
func rank(name string) int {
	for i := range kinds {
		if kinds[i].name == name {
			return i
		}
	}
	return -1
}

// named is a type without a size.
func named(base string) typ {
	t, _ := declare(base, nil)
	return t
}

// declare is a type with the numbers after its name; ok is false for an unknown type.
func declare(name string, sizes []int) (t typ, ok bool) {
	if rank(name) < 0 {
		return t, false
	}
	t.base = name
	first := func(otherwise int) int { return append(sizes, otherwise)[0] }
	switch {
	case t.sized():
		t.size = first(1)
	case t.is(decimals) && !t.isMoney():
		t.precision = first(18)
		if len(sizes) > 1 {
			t.scale = sizes[1]
		}
	case t.isMoney():
		t.scale = 4
	case name == "time" || name == "datetime2" || name == "datetimeoffset":
		t.scale = first(7)
	}
	return t, true
}

// stronger is the type in which two values are compared.
func stronger(a, b typ) typ {
	if rank(b.base) < rank(a.base) {
		return b
	}
	return a
}

func (t typ) is(f family) bool { return t.base != "" && kinds[rank(t.base)].family == f }
func (t typ) isMoney() bool    { return strings.HasSuffix(t.base, "money") }
func (t typ) isWide() bool     { return strings.HasPrefix(t.base, "n") && t.is(texts) }

// sized reports whether the type has a declared size in bytes or characters.
func (t typ) sized() bool { return kinds[rank(t.base)].bytes == 0 }

// collationName is the name of the collation of a text.
func (t typ) collationName() any {
	switch {
	case !t.is(texts) || t.base == "xml":
		return nil
	case t.collation == "":
		return "SQL_Latin1_General_CP1_CI_AS"
	}
	return t.collation
}

// maxLength is the size in bytes, as in sys.columns.
func (t typ) maxLength() int64 {
	switch n := kinds[rank(t.base)].bytes; {
	case n != 0:
		return n
	case t.size == unlimited:
		return -1
	case t.isWide():
		return 2 * int64(t.size)
	}
	return int64(t.size)
}

// precisionOf is the precision, as in sys.columns.
func (t typ) precisionOf() int64 { return max(kinds[rank(t.base)].digits, int64(t.precision)) }

// column is how a column of the type is sent.
func (t typ) column(name string, nullable bool) tdstest.Column {
	c := tdstest.Column{Name: name, Type: kinds[rank(t.base)].tds, Nullable: nullable, Size: t.size, Precision: t.precision, Scale: t.scale}
	if t.is(clr) {
		c.TypeName = t.base
	}
	return c
}
