package postgresql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// kindsOfTypes are the kinds of the types of columns; compat is that in the encoding compat, "" is the same.
var kindsOfTypes = []struct {
	typ          string
	kind, compat source.FieldKind
}{
	{"smallint", source.Long, ""},
	{"integer", source.Long, ""},
	{"bigint", source.Long, ""},
	{"oid", source.Long, ""},
	{"xid", source.Long, ""},
	{"real", source.Double, ""},
	{"double precision", source.Double, ""},
	{"numeric", source.Decimal, source.Double},
	{"numeric(12,2)", source.Decimal, source.Double},
	{"money", source.Decimal, source.Text},
	{"boolean", source.Boolean, ""},
	{"date", source.Date, ""},
	{"timestamp", source.Date, ""},
	{"timestamptz", source.Date, ""},
	{"time", source.Text, ""},
	{"timetz", source.Text, ""},
	{"interval", source.Text, ""},
	{"bytea", source.Binary, source.Text},
	{"text", source.Text, ""},
	{"varchar(9)", source.Text, ""},
	{"char(9)", source.Text, ""},
	{`"char"`, source.Text, ""},
	{"name", source.Text, ""},
	{"json", source.Text, ""},
	{"jsonb", source.Text, ""},
	{"xml", source.Text, ""},
	{"uuid", source.Keyword, ""},
	{"inet", source.Keyword, ""},
	{"cidr", source.Keyword, ""},
	{"macaddr", source.Keyword, ""},
	{"macaddr8", source.Keyword, ""},
	{"tid", source.Keyword, ""},
	{"bit(3)", source.Text, ""},
	{"varbit", source.Text, ""},
	{"point", source.Text, ""},
	{"box", source.Text, ""},
	{"int4range", source.Text, ""},
	{"tsvector", source.Text, ""},
	{"int2vector", source.Text, ""},
	{"regclass", source.Text, ""},
	{"pg_lsn", source.Text, ""},
	{"mood", source.Keyword, ""},
	{"percent", source.Long, ""},
	{"pair", source.Text, ""},
	{"integer[]", source.Long, ""},
	{"integer[][]", source.Long, ""},
	{"text[]", source.Text, ""},
	{"uuid[]", source.Keyword, ""},
	{"mood[]", source.Keyword, ""},
	{"percent[]", source.Long, ""},
	{"money[]", source.Decimal, source.Text},
	{"timestamptz[]", source.Date, ""},
	{"bytea[]", source.Binary, source.Text},
	{"boolean[]", source.Boolean, ""},
}

const typesOfOurs = `CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'ok');
	CREATE DOMAIN percent AS int CHECK (VALUE <= 100);`

// TestEveryTypeHasItsKind describes a column of every type, read as a table and as the result of a query.
func TestEveryTypeHasItsKind(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var columns strings.Builder
	for i, tt := range kindsOfTypes {
		fmt.Fprintf(&columns, ", c%d %s", i, tt.typ)
	}
	db.exec(typesOfOurs + "CREATE TABLE t (id bigint PRIMARY KEY" + columns.String() + ")")
	rules := []any{map[string]any{"tables": []any{"t"}, "query": "SELECT * FROM t"}}
	for _, env := range []source.Env{{}, {Encoding: "compat"}, {AdvancedRules: rules}, {Encoding: "compat", AdvancedRules: rules}} {
		d := sqltest.DescribeAll(t, openSource(t, db.values(nil), env))["public.t"]
		want := []source.DescribedField{
			{Name: "database", Kind: source.Keyword},
			{Name: "schema", Kind: source.Keyword},
			{Name: "table", Kind: source.Keyword},
			{Name: "public_t_id", Kind: source.Long},
		}
		for i, tt := range kindsOfTypes {
			if env.Encoding == "compat" && tt.compat != "" {
				tt.kind = tt.compat
			}
			want = append(want, source.DescribedField{Name: fmt.Sprintf("public_t_c%d", i), Kind: tt.kind})
		}
		want = append(want, source.DescribedField{Name: "_conversion_notes", Kind: source.Keyword})
		if diff := cmp.Diff(source.Description{Fields: want, IDPrefix: db.name + "_public_t_", NumericIDs: true}, d); diff != "" {
			t.Errorf("%+v:\n%s", env, diff)
		}
	}
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE "T" (a int, b text, "x.y" numeric, PRIMARY KEY (b, a)); CREATE TABLE n (v numeric PRIMARY KEY)`)
	kinds := func(names ...string) map[string]source.FieldKind {
		all := map[string]source.FieldKind{"_conversion_notes": source.Keyword}
		for _, n := range names {
			name, kind, _ := strings.Cut(n, " ")
			all[name] = source.FieldKind(kind)
		}
		return all
	}
	for _, tt := range []struct {
		env    source.Env
		want   map[string]source.FieldKind
		prefix string
	}{
		{source.Env{Profile: "head"}, kinds("database keyword", "schema keyword", "table keyword", "public_t_a long", "public_t_b text", "public_t_x.y decimal"), db.name + "_public_T_"},
		{source.Env{Profile: "seed87"}, kinds("Database keyword", "schema keyword", "Table keyword", "public_t_a long", "public_t_b text", "public_t_x.y decimal"), db.name + "_public_T_"},
		{source.Env{Profile: "native"}, kinds("database keyword", "schema keyword", "table keyword", "key.b text", "key.a long", "row.a long", "row.b text", "row.x_y decimal"), ""},
		{source.Env{IDsOnly: true}, kinds("database keyword", "schema keyword", "table keyword", "public_t_a long", "public_t_b text"), db.name + "_public_T_"},
	} {
		all := sqltest.DescribeAll(t, openSource(t, db.values(nil), tt.env))
		d := all["public.T"]
		if diff := cmp.Diff(tt.want, sqltest.Kinds(d)); diff != "" || d.IDPrefix != tt.prefix || d.NumericIDs {
			t.Errorf("%+v: prefix %q, numeric %t\n%s", tt.env, d.IDPrefix, d.NumericIDs, diff)
		}
		if all["public.n"].NumericIDs {
			t.Errorf("%+v: a numeric may be NaN", tt.env)
		}
	}
}

// TestWhatMayNotBeReadIsDescribed describes a table without the right to read it, one of a schema that may not be
// used, and one without a key.
func TestWhatMayNotBeReadIsDescribed(t *testing.T) {
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

// TestRangesShareADescription describes a table of several parts by asking once, and reads it afterwards.
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
