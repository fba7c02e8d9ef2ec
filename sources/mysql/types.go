package mysql

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. Values come in the binary protocol, which is exact for every type.
//
// A value that JSON, or an index in which the others are dates or numbers, cannot hold is null, and
// a reason is noted in the document. A column never changes its JSON type between rows.

// cell is a value of a row: a text or bytes, a whole number or a float, or NULL.
type cell struct {
	null  bool
	text  string // what was sent as text or bytes; set before a value is converted
	raw   []byte // the same, as the driver lends it
	whole bool   // number is what was sent
	float bool
	bits  int // of a float
	num   int64
	f     float64
}

func cellOf(v driver.Value) cell {
	switch v := v.(type) {
	case []byte:
		return cell{raw: v}
	case int64:
		return cell{whole: true, num: v}
	case float32:
		return cell{float: true, bits: 32, f: float64(v)}
	case float64:
		return cell{float: true, bits: 64, f: v}
	case uint64:
		return cell{raw: strconv.AppendUint(nil, v, 10), text: strconv.FormatUint(v, 10)}
	}
	return cell{null: true}
}

// columnType is how values of a type are read.
type columnType struct {
	value  convert
	compat convert // what value is in the encoding compat; nil: the same
	key    keyText // nil: as it is
	zero   zero    // nil: only empty text is
	// bind is a parameter of the type, for the server to compare a column with; "" where what is greater
	// does not come later, or equality is not to be trusted.
	bind     string
	dated    bool             // texts of it may be dates that are none
	integer  bool             // its values may be cut into ranges
	unsigned bool             // of an integer of 64 bits
	declared string           // as the table has it
	kind     source.FieldKind // "" is text
	// compatKind is what kind is in the encoding compat; "" is the same.
	compatKind source.FieldKind
	// digits reports that ids have every value of the type without other characters than digits and "+-._E".
	digits bool
	// unknown is the name of a type that is read as text for want of a better idea.
	unknown string
}

// zero reports whether a value says nothing, such as 0.
type zero func(c *cell) bool

// convert makes a value of what was sent, which is not NULL. reason is what was lost; "" for nothing.
type convert func(c *cell) (v document.Value, reason string)

// declaredType is how a column is read whose types are given as information_schema has them, such as
// bigint and bigint(20) unsigned.
func declaredType(name, declared string) columnType {
	t := typeOf(strings.ToLower(name), strings.Contains(declared, "unsigned"))
	switch name {
	case "bit":
		switch n := size(declared); {
		case n == 1:
			t.value, t.kind = toFlag, source.Boolean
		case n > 53:
			t.value = toLongBits
		default:
			t.value, t.kind = toShortBits, source.Long
		}
	case "decimal":
		t.bind = "CAST(? AS " + strings.TrimSuffix(strings.TrimSuffix(declared, " zerofill"), " unsigned") + ")"
	}
	t.declared = declared
	return t
}

// size is the number in a type such as bit(8); 0 when there is none.
func size(declared string) int {
	_, after, _ := strings.Cut(declared, "(")
	digits, _, _ := strings.Cut(after, ")")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// resultType is how a column of a result is read, given the driver's name of its type, such as UNSIGNED
// BIGINT.
func resultType(name string) columnType {
	bare, unsigned := strings.CutPrefix(name, "UNSIGNED ")
	t := typeOf(strings.ToLower(bare), unsigned)
	t.declared = name
	return t
}

func typeOf(name string, unsigned bool) columnType {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "year":
		return columnType{value: toInt, zero: zeroNumber, bind: "?", integer: name != "year", kind: source.Long, digits: true}
	case "bigint":
		if unsigned {
			return columnType{
				value: toDigits, compat: toInt, zero: zeroNumber, bind: "CAST(? AS UNSIGNED)", integer: true, unsigned: true,
				kind: source.UnsignedLong, digits: true,
			}
		}
		return columnType{value: toInt, zero: zeroNumber, bind: "?", integer: true, kind: source.Long, digits: true}
	case "float":
		return columnType{value: toFloat, compat: toReal, key: keyFloat, zero: zeroNumber, kind: source.Double}
	case "double":
		return columnType{value: toFloat, compat: toDouble, key: keyFloat, zero: zeroNumber, kind: source.Double}
	case "decimal":
		return columnType{value: toDecimal, compat: toDouble, key: keyDecimal, zero: zeroNumber, kind: source.Decimal, compatKind: source.Double, digits: true}
	case "bit": // of a query up to 64, nobody says how many
		return columnType{value: toBits, compat: toDecoded, key: keyBytes, kind: source.UnsignedLong, compatKind: source.Text}
	case "set":
		return columnType{value: toSet, compat: toText, kind: source.Keyword}
	case "enum":
		return columnType{value: toText, kind: source.Keyword}
	case "json":
		return columnType{value: toText}
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "null":
		return columnType{value: toText, bind: "?"}
	case "uuid":
		return columnType{value: toText, bind: "?", kind: source.Keyword}
	case "inet4", "inet6": // single addresses, never networks
		return columnType{value: toText, bind: "?", kind: source.IP}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return columnType{value: toBytes, compat: toDecoded, key: keyBytes, bind: "CAST(? AS BINARY)", kind: source.Binary, compatKind: source.Text}
	case "date":
		return columnType{value: toDate, compat: toText, bind: "CAST(? AS DATE)", dated: true, kind: source.Date}
	case "datetime", "timestamp":
		return columnType{value: toInstant, compat: toNaive, key: keyTime, bind: "CAST(? AS DATETIME(6))", dated: true, kind: source.Date}
	case "time":
		return columnType{value: toText, key: keySpan, zero: zeroSpan, bind: "CAST(? AS TIME(6))"}
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return columnType{value: toGeometry, compat: toDecoded, key: keyBytes, kind: source.Object, compatKind: source.Text}
	case "vector":
		return columnType{value: toNumbers, compat: toDecoded, key: keyBytes, kind: source.Double, compatKind: source.Text}
	}
	return columnType{value: toText, unknown: name}
}
