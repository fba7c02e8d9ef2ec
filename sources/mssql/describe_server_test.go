package mssql

import (
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kindsOfTypes has every type that SQL Server has had since 2008.
var kindsOfTypes = []sqltest.KindOfType{
	{Type: "tinyint", Kind: source.Long},
	{Type: "smallint", Kind: source.Long},
	{Type: "int", Kind: source.Long},
	{Type: "bigint", Kind: source.Long},
	{Type: "bit", Kind: source.Boolean},
	{Type: "real", Kind: source.Double},
	{Type: "float", Kind: source.Double},
	{Type: "decimal(12,2)", Kind: source.Decimal, Compat: source.Double},
	{Type: "numeric(5,0)", Kind: source.Decimal, Compat: source.Double},
	{Type: "money", Kind: source.Decimal, Compat: source.Double},
	{Type: "smallmoney", Kind: source.Decimal, Compat: source.Double},
	{Type: "char(5)", Kind: source.Text},
	{Type: "varchar(50)", Kind: source.Text},
	{Type: "varchar(max)", Kind: source.Text},
	{Type: "nchar(5)", Kind: source.Text},
	{Type: "nvarchar(50)", Kind: source.Text},
	{Type: "text", Kind: source.Text},
	{Type: "ntext", Kind: source.Text},
	{Type: "xml", Kind: source.Text},
	{Type: "binary(4)", Kind: source.Binary, Compat: source.Text},
	{Type: "varbinary(9)", Kind: source.Binary, Compat: source.Text},
	{Type: "varbinary(max)", Kind: source.Binary, Compat: source.Text},
	{Type: "image", Kind: source.Binary, Compat: source.Text},
	{Type: "date", Kind: source.Date},
	{Type: "time(7)", Kind: source.Text},
	{Type: "smalldatetime", Kind: source.Date},
	{Type: "datetime", Kind: source.Date},
	{Type: "datetime2(3)", Kind: source.Date},
	{Type: "datetimeoffset(7)", Kind: source.Date},
	{Type: "uniqueidentifier", Kind: source.Keyword},
	{Type: "rowversion", Kind: source.Keyword, Compat: source.Text, Result: source.Binary},
	{Type: "sql_variant", Kind: source.Text},
	{Type: "hierarchyid", Kind: source.Text, Compat: source.Text, Result: source.Binary},
	{Type: "geometry", Kind: source.Text, Compat: source.Text, Result: source.Binary},
}

func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	sqltest.KindsAre(t, append([]sqltest.KindOfType{
		{Type: "timestamp", Kind: source.Keyword, Compat: source.Text},
		{Type: "json", Kind: source.Text},
		{Type: "vector", Kind: source.Double, Compat: source.Text},
		{Type: "of a later version", Kind: source.Binary, Compat: source.Text},
	}, kindsOfTypes...), func(full string, compat bool) (source.FieldKind, bool) {
		name, _, _ := strings.Cut(full, "(")
		d := declaration{name: name}
		typ := d.columnType().Encoded(compat)
		return typ.Kind, typ.Digits
	}, func(k *sqltest.KindOfType) bool { return k.Kind == source.Long || k.Kind == source.Decimal })
	d := declaration{name: "int", encrypted: true}
	if got := d.columnType(); got.Kind != source.Binary || got.Digits {
		t.Errorf("an encrypted column: got %q", got.Kind)
	}
}

// TestEveryTypeHasItsKind describes a column of every type, read as a table and as the result of a query.
func TestEveryTypeHasItsKind(t *testing.T) {
	t.Parallel()
	sqltest.EveryTypeHasItsKind(t, newDB(t).shared(), kindsOfTypes, []string{"database", "schema", "table"}, "int", source.Long)
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE T (A int, B nvarchar(9), [x.y] datetime, PRIMARY KEY (B, A))", "CREATE TABLE n (v date)")
	prefix := `"` + db.name + `_dbo_T_" false: `
	cases := []sqltest.Described{
		{Want: prefix + "database keyword, schema keyword, table keyword, dbo_t_a long, dbo_t_b text, dbo_t_x.y date"},
		{Env: source.Env{Profile: "seed87"}, Want: prefix + "Database keyword, schema keyword, Table keyword, dbo_t_a long, dbo_t_b text, dbo_t_x.y date"},
		{
			Env:  source.Env{Profile: "native"},
			Want: `"" false: database keyword, schema keyword, table keyword, key.B text, key.A long, row.A long, row.B text, row.x_y date`,
		},
		{Env: source.Env{IDsOnly: true}, Want: prefix + "database keyword, schema keyword, table keyword, dbo_t_a long, dbo_t_b text"},
	}
	sqltest.DescribedAs(t, db.shared(), "dbo.T", cases)
	for _, tt := range cases {
		keyless := sqltest.DescribeAll(t, openSource(t, db.values(nil), tt.Env))["dbo.n"]
		if !slices.ContainsFunc(keyless.Fields, func(f source.DescribedField) bool { return f.Kind == source.Date }) {
			t.Errorf("%+v: a table without a key is described by %v", tt.Env, keyless.Fields)
		}
	}
}
