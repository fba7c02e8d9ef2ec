package mysql

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// How a column's type becomes JSON. Values use the binary protocol, which is exact for every type.
//
// A value that JSON, or an index of dates or numbers, cannot hold is null, and
// the reason is noted in the document. A column never changes its JSON type between rows.

// cell is a value of a row: text or bytes, an integer or a float, or NULL.
type cell struct {
	null    bool
	text    string // what was sent as text or bytes; set before a value is converted
	raw     []byte // the same, in the driver's memory
	integer bool   // number is set
	float   bool
	bits    int // of a float
	num     int64
	f       float64
}

func cellOf(v driver.Value) cell {
	switch v := v.(type) {
	case []byte:
		return cell{raw: v}
	case int64:
		return cell{integer: true, num: v}
	case float32:
		return cell{float: true, bits: 32, f: float64(v)}
	case float64:
		return cell{float: true, bits: 64, f: v}
	case uint64:
		return cell{raw: strconv.AppendUint(nil, v, 10), text: strconv.FormatUint(v, 10)}
	}
	return cell{null: true}
}

// declaredType returns how to read a column with types from information_schema, such as
// bigint and bigint(20) unsigned.
func declaredType(name, declared string) columnType {
	t := typeOf(strings.ToLower(name), strings.Contains(declared, "unsigned"))
	switch name {
	case "bit":
		switch n := size(declared); {
		case n == 1:
			t.Value, t.Kind = toFlag, source.Boolean
		case n > 53:
			t.Value = toLongBits
		default:
			t.Value, t.Kind = toShortBits, source.Long
		}
	case "decimal":
		t.Bind = "CAST(? AS " + strings.TrimSuffix(strings.TrimSuffix(declared, " zerofill"), " unsigned") + ")"
	}
	t.Declared = declared
	return t
}

// size is the number in a type such as bit(8); 0 if there is none.
func size(declared string) int {
	_, after, _ := strings.Cut(declared, "(")
	digits, _, _ := strings.Cut(after, ")")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// resultType returns how to read a column of a result, given the driver's name of its type, such as UNSIGNED
// BIGINT.
func resultType(name string) columnType {
	bare, unsigned := strings.CutPrefix(name, "UNSIGNED ")
	t := typeOf(strings.ToLower(bare), unsigned)
	t.Declared = name
	return t
}

func typeOf(name string, unsigned bool) columnType {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "year":
		return columnType{Value: toInt, Zero: zeroNumber, Bind: "?", Kind: source.Long, Digits: true}
	case "bigint":
		if unsigned {
			return columnType{
				Value: toDigits, Compat: toInt, Zero: zeroNumber, Bind: "CAST(? AS UNSIGNED)",
				Kind: source.UnsignedLong, Digits: true,
			}
		}
		return columnType{Value: toInt, Zero: zeroNumber, Bind: "?", Kind: source.Long, Digits: true}
	case "float":
		return columnType{Value: toFloat, Compat: toReal, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}
	case "double":
		return columnType{Value: toFloat, Compat: toDouble, Key: keyFloat, Zero: zeroNumber, Kind: source.Double}
	case "decimal":
		return columnType{Value: toDecimal, Compat: toDouble, Key: keyDecimal, Zero: zeroNumber, Kind: source.Decimal, CompatKind: source.Double, Digits: true}
	case "bit": // in the result of a query up to 64, the number is unknown
		return columnType{Value: toBits, Compat: toDecoded, Key: keyBytes, Kind: source.UnsignedLong, CompatKind: source.Text}
	case "set":
		return columnType{Value: toSet, Compat: toText, Kind: source.Keyword}
	case "enum":
		return columnType{Value: toText, Kind: source.Keyword}
	case "json":
		return columnType{Value: toText}
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "null":
		return columnType{Value: toText, Bind: "?"}
	case "uuid":
		return columnType{Value: toText, Bind: "?", Kind: source.Keyword}
	case "inet4", "inet6": // single addresses, never networks
		return columnType{Value: toText, Bind: "?", Kind: source.IP}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return columnType{Value: toBytes, Compat: toDecoded, Key: keyBytes, Bind: "CAST(? AS BINARY)", Kind: source.Binary, CompatKind: source.Text}
	case "date":
		return columnType{Value: toDate, Compat: toText, Bind: "CAST(? AS DATE)", Kind: source.Date}
	case "datetime", "timestamp":
		return columnType{Value: toInstant, Compat: toNaive, Key: keyTime, Bind: "CAST(? AS DATETIME(6))", Kind: source.Date}
	case "time":
		return columnType{Value: toText, Key: keySpan, Zero: zeroSpan, Bind: "CAST(? AS TIME(6))"}
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return columnType{Value: toGeometry, Compat: toDecoded, Key: keyBytes, Kind: source.Object, CompatKind: source.Text}
	case "vector":
		return columnType{Value: toNumbers, Compat: toDecoded, Key: keyBytes, Kind: source.Double, CompatKind: source.Text}
	}
	return columnType{Value: toText, Unknown: name}
}
