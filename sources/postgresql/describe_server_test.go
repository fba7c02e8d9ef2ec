package postgresql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kindsOfTypes are the kinds of column types; compat is the kind in the encoding compat, "" if it is the same.
var kindsOfTypes = []sqltest.KindOfType{
	{Type: "smallint", Kind: source.Long},
	{Type: "integer", Kind: source.Long},
	{Type: "bigint", Kind: source.Long},
	{Type: "oid", Kind: source.Long},
	{Type: "xid", Kind: source.Long},
	{Type: "real", Kind: source.Double},
	{Type: "double precision", Kind: source.Double},
	{Type: "numeric", Kind: source.Decimal, Compat: source.Double},
	{Type: "numeric(12,2)", Kind: source.Decimal, Compat: source.Double},
	{Type: "money", Kind: source.Decimal, Compat: source.Text},
	{Type: "boolean", Kind: source.Boolean},
	{Type: "date", Kind: source.Date},
	{Type: "timestamp", Kind: source.Date},
	{Type: "timestamptz", Kind: source.Date},
	{Type: "time", Kind: source.Text},
	{Type: "timetz", Kind: source.Text},
	{Type: "interval", Kind: source.Text},
	{Type: "bytea", Kind: source.Binary, Compat: source.Text},
	{Type: "text", Kind: source.Text},
	{Type: "varchar(9)", Kind: source.Text},
	{Type: "char(9)", Kind: source.Text},
	{Type: `"char"`, Kind: source.Text},
	{Type: "name", Kind: source.Text},
	{Type: "json", Kind: source.Text},
	{Type: "jsonb", Kind: source.Text},
	{Type: "xml", Kind: source.Text},
	{Type: "uuid", Kind: source.Keyword},
	{Type: "inet", Kind: source.Keyword},
	{Type: "cidr", Kind: source.Keyword},
	{Type: "macaddr", Kind: source.Keyword},
	{Type: "macaddr8", Kind: source.Keyword},
	{Type: "tid", Kind: source.Keyword},
	{Type: "bit(3)", Kind: source.Text},
	{Type: "varbit", Kind: source.Text},
	{Type: "point", Kind: source.Text},
	{Type: "box", Kind: source.Text},
	{Type: "int4range", Kind: source.Text},
	{Type: "tsvector", Kind: source.Text},
	{Type: "int2vector", Kind: source.Text},
	{Type: "regclass", Kind: source.Text},
	{Type: "pg_lsn", Kind: source.Text},
	{Type: "mood", Kind: source.Keyword},
	{Type: "percent", Kind: source.Long},
	{Type: "pair", Kind: source.Text},
	{Type: "integer[]", Kind: source.Long},
	{Type: "integer[][]", Kind: source.Long},
	{Type: "text[]", Kind: source.Text},
	{Type: "uuid[]", Kind: source.Keyword},
	{Type: "mood[]", Kind: source.Keyword},
	{Type: "percent[]", Kind: source.Long},
	{Type: "money[]", Kind: source.Decimal, Compat: source.Text},
	{Type: "timestamptz[]", Kind: source.Date},
	{Type: "bytea[]", Kind: source.Binary, Compat: source.Text},
	{Type: "boolean[]", Kind: source.Boolean},
}

const typesOfOurs = `CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'ok');
	CREATE DOMAIN percent AS int CHECK (VALUE <= 100);`

// TestEveryTypeHasItsKind describes a column of every type, read as a table and as the result of a query.
func TestEveryTypeHasItsKind(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(typesOfOurs)
	sqltest.EveryTypeHasItsKind(t, db.shared(), kindsOfTypes, []string{"database", "schema", "table"}, "bigint", source.Long)
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE "T" (a int, b text, "x.y" numeric, PRIMARY KEY (b, a)); CREATE TABLE n (v numeric PRIMARY KEY)`)
	prefix := `"` + db.name + `_public_T_" false: `
	cases := []sqltest.Described{
		{Env: source.Env{Profile: "head"}, Want: prefix + "database keyword, schema keyword, table keyword, public_t_a long, public_t_b text, public_t_x.y decimal"},
		{Env: source.Env{Profile: "seed87"}, Want: prefix + "Database keyword, schema keyword, Table keyword, public_t_a long, public_t_b text, public_t_x.y decimal"},
		{
			Env:  source.Env{Profile: "native"},
			Want: `"" false: database keyword, schema keyword, table keyword, key.b text, key.a long, row.a long, row.b text, row.x_y decimal`,
		},
		{Env: source.Env{IDsOnly: true}, Want: prefix + "database keyword, schema keyword, table keyword, public_t_a long, public_t_b text"},
	}
	sqltest.DescribedAs(t, db.shared(), "public.T", cases)
	for _, tt := range cases {
		if sqltest.DescribeAll(t, openSource(t, db.values(nil), tt.Env))["public.n"].NumericIDs {
			t.Errorf("%+v: a numeric may be NaN", tt.Env)
		}
	}
}

// TestUnreadableTablesAreDescribed describes a table without the right to read it, one in a schema without the right
// to use it, and one without a key.
func TestUnreadableTablesAreDescribed(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	values["schema"] = "*"
	db.exec("CREATE TABLE a (id int PRIMARY KEY, v bool); CREATE SCHEMA s; CREATE TABLE s.b (id int PRIMARY KEY, v date); " +
		"CREATE TABLE c (v int); CREATE TABLE d (id int PRIMARY KEY, v text); GRANT SELECT ON c, d TO " + role)
	all := sqltest.DescribeAll(t, openSource(t, values, source.Env{IDColumns: map[string][]string{"c": {"v"}}}))
	got := map[string]any{}
	for scope, d := range all {
		got[scope] = fmt.Sprint(sqltest.Kinds(d)[strings.ReplaceAll(scope, ".", "_")+"_v"], " ", strings.TrimPrefix(d.IDPrefix, db.name), " ", d.NumericIDs)
	}
	want := map[string]any{
		"public.a": "boolean _public_a_ true", "s.b": "date _s_b_ true",
		"public.c": "long _public_c true", "public.d": "text _public_d_ true", // v of c may be NULL
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	all = sqltest.DescribeAll(t, openSource(t, values, source.Env{}))
	if kind := sqltest.Kinds(all["public.c"])["public_c_v"]; kind != source.Long {
		t.Errorf("a table without a key: v is %q", kind)
	}
}

// TestRangesShareADescription describes a table of several parts with one query, and reads it afterwards.
func TestRangesShareADescription(t *testing.T) {
	t.Parallel()
	db := cutDB(t)
	d := openCut(t, db.values(nil), source.Env{})
	var first source.Description
	parts := sqltest.List(t, d)
	if len(parts) < 2 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, p := range parts {
		got, err := p.(source.Describer).Describe(t.Context())
		if err != nil || len(got.Fields) == 0 {
			t.Fatalf("%s: %v, %d fields", p.Name(), err, len(got.Fields))
		}
		if i == 0 {
			first = got
		} else if &got.Fields[0] != &first.Fields[0] {
			t.Errorf("%s was described again", p.Name())
		}
		if r := sqltest.Read(t.Context(), p); r.Err != nil {
			t.Errorf("%s: %v", p.Name(), r.Err)
		}
	}
}
