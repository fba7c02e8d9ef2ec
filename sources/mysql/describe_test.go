package mysql

import (
	"cmp"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kindsOfTypes are the kinds of column types; compat is the kind in the encoding compat, "" if it is the same.
// TestEveryTypeHasItsKind compares them with a server.
var kindsOfTypes = []sqltest.KindOfType{
	{Type: "tinyint", Kind: source.Long},
	{Type: "tinyint(1)", Kind: source.Long},
	{Type: "smallint unsigned", Kind: source.Long},
	{Type: "mediumint", Kind: source.Long},
	{Type: "int", Kind: source.Long},
	{Type: "int(10) unsigned zerofill", Kind: source.Long},
	{Type: "year", Kind: source.Long},
	{Type: "bigint", Kind: source.Long},
	{Type: "bigint unsigned", Kind: source.UnsignedLong},
	{Type: "float", Kind: source.Double},
	{Type: "double", Kind: source.Double},
	{Type: "decimal(12,2)", Kind: source.Decimal, Compat: source.Double},
	{Type: "bit(1)", Kind: source.Boolean, Compat: source.Text, Result: source.UnsignedLong},
	{Type: "bit(8)", Kind: source.Long, Compat: source.Text, Result: source.UnsignedLong},
	{Type: "bit(64)", Kind: source.UnsignedLong, Compat: source.Text},
	{Type: "char(9)", Kind: source.Text},
	{Type: "varchar(9)", Kind: source.Text},
	{Type: "text", Kind: source.Text},
	{Type: "longtext", Kind: source.Text},
	{Type: "json", Kind: source.Text},
	{Type: "enum('a','b')", Kind: source.Keyword},
	{Type: "set('a','b')", Kind: source.Keyword},
	{Type: "binary(4)", Kind: source.Binary, Compat: source.Text},
	{Type: "varbinary(9)", Kind: source.Binary, Compat: source.Text},
	{Type: "blob", Kind: source.Binary, Compat: source.Text},
	{Type: "date", Kind: source.Date},
	{Type: "datetime(6)", Kind: source.Date},
	{Type: "timestamp", Kind: source.Date},
	{Type: "time", Kind: source.Text},
	{Type: "point", Kind: source.Object, Compat: source.Text},
	{Type: "geometry", Kind: source.Object, Compat: source.Text},
}

// kindsOfMariaDB are the kinds of types that only MariaDB has, and whose names are not in results.
var kindsOfMariaDB = []sqltest.KindOfType{
	{Type: "uuid", Kind: source.Keyword, Result: source.Text},
	{Type: "inet4", Kind: source.IP, Result: source.Text},
	{Type: "inet6", Kind: source.IP, Result: source.Text},
}

func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range append(kindsOfMariaDB, kindsOfTypes...) {
		name, _, _ := strings.Cut(tt.Type, "(")
		name, _, _ = strings.Cut(name, " ")
		for _, compat := range []bool{false, true} {
			typ := declaredType(name, tt.Type).Encoded(compat)
			if got := cmp.Or(typ.Kind, source.Text); got != tt.In(compat, false) {
				t.Errorf("%s, compat %t: got %q, want %q", tt.Type, compat, got, tt.In(compat, false))
			}
			whole := tt.Kind == source.Long || tt.Kind == source.UnsignedLong || tt.Kind == source.Decimal
			if want := whole && name != "bit"; typ.Digits != want {
				t.Errorf("%s: digits in ids: got %t", tt.Type, typ.Digits)
			}
		}
	}
	if vector := typeOf("vector", false); vector.Kind != source.Double || vector.Encoded(true).Kind != source.Text {
		t.Errorf("vector: got %q", vector.Kind)
	}
}
