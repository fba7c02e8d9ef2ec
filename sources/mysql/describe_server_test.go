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
		sqltest.EveryTypeHasItsKind(t, db.lenient(), types, []string{"Table"}, "bigint unsigned", source.UnsignedLong)
	})
}

func TestDescriptionFollowsTheProfile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (a int, b varchar(9), `Table` datetime, id date, PRIMARY KEY (b, a))")
		d := db.name + "_t_"
		sqltest.DescribedAs(t, db.shared(), "t", []sqltest.Described{
			{Want: `"t_" false: Table keyword, a long, b text, Table_ date, id date`},
			{Env: source.Env{Encoding: "compat"}, Want: `"t_" false: Table keyword, a long, b text`},
			{
				Env:  source.Env{Profile: "seed87"},
				Want: fmt.Sprintf(`"%[1]s" false: Database keyword, Table keyword, %[1]sa long, %[1]sb text, %[1]sTable date, %[1]sid date`, d),
			},
			{
				Env:  source.Env{Profile: "native"},
				Want: `"" false: database keyword, table keyword, key.b text, key.a long, row.a long, row.b text, row.Table date, row.id date`,
			},
			{Env: source.Env{IDsOnly: true}, Want: `"t_" false: Table keyword, a long, b text`},
		})
	})
}

// TestAQueryWithTwoColumnsOfOneNameIsReadUndescribed checks that the error is not temporary: the next run cannot
// describe the query either.
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

// TestUnreadableTablesAreDescribed describes a table that the user may only write, and tables without a key. All
// sessions of the run are available afterwards.
func TestUnreadableTablesAreDescribed(t *testing.T) {
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
		if strings.Contains(log.String(), "from a later snapshot") {
			t.Errorf("a session was lost, or another opened: %s", log.String())
		}
	})
}
