package mysql

import (
	"slices"
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
	sqltest.KindsAre(t, append(kindsOfMariaDB, kindsOfTypes...), func(full string, compat bool) (source.FieldKind, bool) {
		name, _, _ := strings.Cut(full, "(")
		name, _, _ = strings.Cut(name, " ")
		typ := declaredType(name, full).Encoded(compat)
		return typ.Kind, typ.Digits
	}, func(k *sqltest.KindOfType) bool {
		return slices.Contains([]source.FieldKind{source.Long, source.UnsignedLong, source.Decimal}, k.Kind) && !strings.HasPrefix(k.Type, "bit")
	})
	if vector := typeOf("vector", false); vector.Kind != source.Double || vector.Encoded(true).Kind != source.Text {
		t.Errorf("vector: got %q", vector.Kind)
	}
}
