package mysql

import (
	"cmp"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// kindsOfTypes are the kinds of the types of columns; compat is that in the encoding compat, "" is the same.
// A server is asked for them in TestEveryTypeHasItsKind.
var kindsOfTypes = []kindOfType{
	{typ: "tinyint", kind: source.Long},
	{typ: "tinyint(1)", kind: source.Long},
	{typ: "smallint unsigned", kind: source.Long},
	{typ: "mediumint", kind: source.Long},
	{typ: "int", kind: source.Long},
	{typ: "int(10) unsigned zerofill", kind: source.Long},
	{typ: "year", kind: source.Long},
	{typ: "bigint", kind: source.Long},
	{typ: "bigint unsigned", kind: source.UnsignedLong},
	{typ: "float", kind: source.Double},
	{typ: "double", kind: source.Double},
	{typ: "decimal(12,2)", kind: source.Decimal, compat: source.Double},
	{typ: "bit(1)", kind: source.Boolean, compat: source.Text, result: source.UnsignedLong},
	{typ: "bit(8)", kind: source.Long, compat: source.Text, result: source.UnsignedLong},
	{typ: "bit(64)", kind: source.UnsignedLong, compat: source.Text},
	{typ: "char(9)", kind: source.Text},
	{typ: "varchar(9)", kind: source.Text},
	{typ: "text", kind: source.Text},
	{typ: "longtext", kind: source.Text},
	{typ: "json", kind: source.Text},
	{typ: "enum('a','b')", kind: source.Keyword},
	{typ: "set('a','b')", kind: source.Keyword},
	{typ: "binary(4)", kind: source.Binary, compat: source.Text},
	{typ: "varbinary(9)", kind: source.Binary, compat: source.Text},
	{typ: "blob", kind: source.Binary, compat: source.Text},
	{typ: "date", kind: source.Date},
	{typ: "datetime(6)", kind: source.Date},
	{typ: "timestamp", kind: source.Date},
	{typ: "time", kind: source.Text},
	{typ: "point", kind: source.Object, compat: source.Text},
	{typ: "geometry", kind: source.Object, compat: source.Text},
}

// kindsOfMariaDB are those of types that MariaDB alone knows, and whose names a result does not have.
var kindsOfMariaDB = []kindOfType{
	{typ: "uuid", kind: source.Keyword, result: source.Text},
	{typ: "inet4", kind: source.IP, result: source.Text},
	{typ: "inet6", kind: source.IP, result: source.Text},
}

type kindOfType struct {
	typ          string
	kind, compat source.FieldKind
	result       source.FieldKind // of a column of a query; "" is the same
}

// in is the kind in an encoding, of a column of a table or of a query.
func (k *kindOfType) in(compat, query bool) source.FieldKind {
	if compat && k.compat != "" {
		return k.compat
	}
	if query {
		return cmp.Or(k.result, k.kind)
	}
	return k.kind
}

func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range append(kindsOfMariaDB, kindsOfTypes...) {
		name, _, _ := strings.Cut(tt.typ, "(")
		name, _, _ = strings.Cut(name, " ")
		for _, compat := range []bool{false, true} {
			typ := declaredType(name, tt.typ).Encoded(compat)
			if got := cmp.Or(typ.Kind, source.Text); got != tt.in(compat, false) {
				t.Errorf("%s, compat %t: got %q, want %q", tt.typ, compat, got, tt.in(compat, false))
			}
			whole := tt.kind == source.Long || tt.kind == source.UnsignedLong || tt.kind == source.Decimal
			if want := whole && name != "bit"; typ.Digits != want {
				t.Errorf("%s: digits in ids: got %t", tt.typ, typ.Digits)
			}
		}
	}
	if vector := typeOf("vector", false); vector.Kind != source.Double || vector.Encoded(true).Kind != source.Text {
		t.Errorf("vector: got %q", vector.Kind)
	}
}
