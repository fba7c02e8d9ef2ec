package mssql

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kindOfType is the kind of a column's type; compat is that in the encoding compat, "" is the same, and result
// that of a column of a query in the encoding exact.
type kindOfType struct {
	typ                  string
	kind, compat, result source.FieldKind
}

// kindsOfTypes has every type that SQL Server has had since 2008.
var kindsOfTypes = []kindOfType{
	{typ: "tinyint", kind: source.Long},
	{typ: "smallint", kind: source.Long},
	{typ: "int", kind: source.Long},
	{typ: "bigint", kind: source.Long},
	{typ: "bit", kind: source.Boolean},
	{typ: "real", kind: source.Double},
	{typ: "float", kind: source.Double},
	{typ: "decimal(12,2)", kind: source.Decimal, compat: source.Double},
	{typ: "numeric(5,0)", kind: source.Decimal, compat: source.Double},
	{typ: "money", kind: source.Decimal, compat: source.Double},
	{typ: "smallmoney", kind: source.Decimal, compat: source.Double},
	{typ: "char(5)", kind: source.Text},
	{typ: "varchar(50)", kind: source.Text},
	{typ: "varchar(max)", kind: source.Text},
	{typ: "nchar(5)", kind: source.Text},
	{typ: "nvarchar(50)", kind: source.Text},
	{typ: "text", kind: source.Text},
	{typ: "ntext", kind: source.Text},
	{typ: "xml", kind: source.Text},
	{typ: "binary(4)", kind: source.Binary, compat: source.Text},
	{typ: "varbinary(9)", kind: source.Binary, compat: source.Text},
	{typ: "varbinary(max)", kind: source.Binary, compat: source.Text},
	{typ: "image", kind: source.Binary, compat: source.Text},
	{typ: "date", kind: source.Date},
	{typ: "time(7)", kind: source.Text},
	{typ: "smalldatetime", kind: source.Date},
	{typ: "datetime", kind: source.Date},
	{typ: "datetime2(3)", kind: source.Date},
	{typ: "datetimeoffset(7)", kind: source.Date},
	{typ: "uniqueidentifier", kind: source.Keyword},
	{typ: "rowversion", kind: source.Keyword, compat: source.Text, result: source.Binary},
	{typ: "sql_variant", kind: source.Text},
	{typ: "hierarchyid", kind: source.Text, result: source.Binary},
	{typ: "geometry", kind: source.Text, result: source.Binary},
}

func TestKindsOfTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range append(kindsOfTypes, kindOfType{"timestamp", source.Keyword, source.Text, ""}, kindOfType{"json", source.Text, "", ""},
		kindOfType{"vector", source.Double, source.Text, ""}, kindOfType{"of a later version", source.Binary, source.Text, ""}) {
		name, _, _ := strings.Cut(tt.typ, "(")
		d := declaration{name: name}
		for compat, want := range map[bool]source.FieldKind{false: tt.kind, true: cmp.Or(tt.compat, tt.kind)} {
			typ := d.columnType().Encoded(compat)
			if got := cmp.Or(typ.Kind, source.Text); got != want {
				t.Errorf("%s, compat %t: got %q, want %q", tt.typ, compat, got, want)
			}
			if want := tt.kind == source.Long || tt.kind == source.Decimal; typ.Digits != want {
				t.Errorf("%s: digits in ids: got %t", tt.typ, typ.Digits)
			}
		}
	}
	d := declaration{name: "int", encrypted: true}
	if got := d.columnType(); got.Kind != source.Binary || got.Digits {
		t.Errorf("an encrypted column: got %q", got.Kind)
	}
}

// TestEveryTypeHasItsKind describes a column of every type that there is, read as a table and as the result of a
// query.
func TestEveryTypeHasItsKind(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var columns strings.Builder
	for i, tt := range kindsOfTypes {
		fmt.Fprintf(&columns, ", c%d %s", i, tt.typ)
	}
	db.exec("CREATE TABLE t (id int PRIMARY KEY" + columns.String() + ")")
	rules := []any{map[string]any{"tables": []any{"t"}, "query": "SELECT * FROM t"}}
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {AdvancedRules: rules}} {
		d := sqltest.DescribeAll(t, openSource(t, db.values(nil), env))["dbo.t"]
		want := []source.DescribedField{
			{Name: "database", Kind: source.Keyword}, {Name: "schema", Kind: source.Keyword}, {Name: "table", Kind: source.Keyword}, {Name: "dbo_t_id", Kind: source.Long},
		}
		for i, tt := range kindsOfTypes {
			switch {
			case env.Encoding == "compat":
				tt.kind = cmp.Or(tt.compat, tt.kind)
			case env.AdvancedRules != nil:
				tt.kind = cmp.Or(tt.result, tt.kind)
			}
			want = append(want, source.DescribedField{Name: fmt.Sprintf("dbo_t_c%d", i), Kind: tt.kind})
		}
		want = append(want, source.DescribedField{Name: "_conversion_notes", Kind: source.Keyword})
		for i := range want {
			if i >= len(d.Fields) || d.Fields[i] != want[i] {
				t.Errorf("%+v: field %d is not %v, of the fields %v", env, i, want[i], d.Fields)
				break
			}
		}
		if len(d.Fields) != len(want) || d.IDPrefix != db.name+"_dbo_t_" || !d.NumericIDs {
			t.Errorf("%+v: %d fields, prefix %q, numeric %t", env, len(d.Fields), d.IDPrefix, d.NumericIDs)
		}
	}
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE T (A int, B nvarchar(9), [x.y] datetime, PRIMARY KEY (B, A))", "CREATE TABLE n (v date)")
	for _, tt := range []struct {
		env    source.Env
		want   string
		prefix string
	}{
		{source.Env{}, "database keyword, schema keyword, table keyword, dbo_t_a long, dbo_t_b text, dbo_t_x.y date, _conversion_notes keyword", db.name + "_dbo_T_"},
		{source.Env{Profile: "seed87"}, "Database keyword, schema keyword, Table keyword, dbo_t_a long, dbo_t_b text, dbo_t_x.y date, _conversion_notes keyword", db.name + "_dbo_T_"},
		{
			source.Env{Profile: "native"},
			"database keyword, schema keyword, table keyword, key.B text, key.A long, row.A long, row.B text, row.x_y date, _conversion_notes keyword", "",
		},
		{source.Env{IDsOnly: true}, "database keyword, schema keyword, table keyword, dbo_t_a long, dbo_t_b text, _conversion_notes keyword", db.name + "_dbo_T_"},
	} {
		all := sqltest.DescribeAll(t, openSource(t, db.values(nil), tt.env))
		d := all["dbo.T"]
		var got []string
		for _, f := range d.Fields {
			got = append(got, f.Name+" "+string(f.Kind))
		}
		if strings.Join(got, ", ") != tt.want || d.IDPrefix != tt.prefix || d.NumericIDs {
			t.Errorf("%+v: prefix %q, numeric %t\ngot  %s\nwant %s", tt.env, d.IDPrefix, d.NumericIDs, strings.Join(got, ", "), tt.want)
		}
		if keyless := all["dbo.n"]; !slices.ContainsFunc(keyless.Fields, func(f source.DescribedField) bool { return f.Kind == source.Date }) {
			t.Errorf("%+v: a table without a key is described by %v", tt.env, keyless.Fields)
		}
	}
}
