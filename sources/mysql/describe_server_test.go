package mysql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestEveryTypeHasItsKind describes a column of every type, read as a table and as the result of a query.
func TestEveryTypeHasItsKind(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		types := kindsOfTypes
		if db.mariaDB {
			types = slices.Concat(types, kindsOfMariaDB)
		}
		var columns strings.Builder
		for i, tt := range types {
			fmt.Fprintf(&columns, ", c%d %s NULL", i, tt.typ)
		}
		db.exec("CREATE TABLE t (k bigint unsigned PRIMARY KEY" + columns.String() + ")")
		rules := []any{map[string]any{"tables": []any{"t"}, "query": "SELECT * FROM t"}}
		for _, env := range []source.Env{{}, {Encoding: "compat"}, {AdvancedRules: rules}, {Encoding: "compat", AdvancedRules: rules}} {
			d := sqltest.DescribeAll(t, openSource(t, db.values(nil), env))["t"]
			want := []source.DescribedField{{Name: "Table", Kind: source.Keyword}, {Name: "k", Kind: source.UnsignedLong}}
			for i, tt := range types {
				kind := tt.in(env.Encoding == "compat", env.AdvancedRules != nil)
				want = append(want, source.DescribedField{Name: fmt.Sprintf("c%d", i), Kind: kind})
			}
			want = append(want, source.DescribedField{Name: "_conversion_notes", Kind: source.Keyword})
			if diff := cmp.Diff(source.Description{Fields: want, IDPrefix: "t_", NumericIDs: true}, d); diff != "" {
				t.Errorf("%+v:\n%s", env, diff)
			}
		}
	})
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (a int, b varchar(9), `Table` datetime, id date, PRIMARY KEY (b, a))")
		for _, tt := range []struct {
			env    source.Env
			want   string
			prefix string
		}{
			{source.Env{}, "Table keyword, a long, b text, Table_ date, id date, _conversion_notes keyword", "t_"},
			{source.Env{Encoding: "compat"}, "Table keyword, a long, b text, _conversion_notes keyword", "t_"},
			{
				source.Env{Profile: "seed87"},
				"Database keyword, Table keyword, D_t_a long, D_t_b text, D_t_Table date, D_t_id date, _conversion_notes keyword",
				"D_t_",
			},
			{
				source.Env{Profile: "native"},
				"database keyword, table keyword, key.b text, key.a long, row.a long, row.b text, row.Table date, row.id date, _conversion_notes keyword",
				"",
			},
			{source.Env{IDsOnly: true}, "Table keyword, a long, b text, _conversion_notes keyword", "t_"},
		} {
			d := sqltest.DescribeAll(t, openSource(t, db.values(nil), tt.env))["t"]
			var got []string
			for _, f := range d.Fields {
				got = append(got, f.Name+" "+string(f.Kind))
			}
			want := strings.ReplaceAll(tt.want, "D_t_", db.name+"_t_")
			if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%+v:\n%s", tt.env, diff)
			}
			if d.IDPrefix != strings.Replace(tt.prefix, "D", db.name, 1) || d.NumericIDs {
				t.Errorf("%+v: prefix %q, numeric %t", tt.env, d.IDPrefix, d.NumericIDs)
			}
		}
	})
}

// TestAQueryWithTwoColumnsOfOneNameIsReadUndescribed: that passes in no later run, so it must not look as if it did.
func TestAQueryWithTwoColumnsOfOneNameIsReadUndescribed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t VALUES (1)")
		s := openSource(t, db.values(nil), source.Env{AdvancedRules: []any{map[string]any{"tables": []any{"t"}, "query": "SELECT k, k FROM t"}}})
		for p, err := range s.Parts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			_, err := p.(source.Describer).Describe(t.Context())
			if err == nil || errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable) {
				t.Errorf("got %v", err)
			}
			if r := sqltest.Read(t.Context(), p); r.Err != nil || len(r.Docs) != 1 {
				t.Errorf("got %+v", r)
			}
		}
	})
}

// TestWhatMayNotBeReadIsDescribed describes a table that the user may write alone, and tables without a key. The
// sessions of the run are all there afterwards.
func TestWhatMayNotBeReadIsDescribed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		user, values := db.reader()
		db.exec("CREATE TABLE a (k int PRIMARY KEY, v bit(1)); CREATE TABLE b (v decimal(9,2)); CREATE TABLE c (v date); CREATE VIEW w AS SELECT k, 1.5 v FROM a; " +
			"GRANT SELECT ON " + db.name + ".b TO " + user + "; GRANT SELECT ON " + db.name + ".c TO " + user + "; GRANT INSERT ON " + db.name + ".a TO " + user + "; GRANT SELECT ON " + db.name + ".w TO " + user)
		values["tables"] = "*, w"
		var log sqltest.Logbook
		env := log.Env()
		env.IDColumns = map[string][]string{"b": {"v"}, "w": {"k"}}
		s := openSource(t, values, env)
		got := map[string]string{}
		for scope, d := range sqltest.DescribeAll(t, s) {
			got[scope] = fmt.Sprint(sqltest.Kinds(d)["v"], " ", d.IDPrefix, " ", d.NumericIDs)
		}
		want := map[string]string{"a": "boolean a_ true", "b": "decimal b true", "c": "date  false", "w": "decimal w true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if strings.Contains(log.String(), "snapshot that was taken later") {
			t.Errorf("a session was lost, or another opened: %s", log.String())
		}
	})
}
