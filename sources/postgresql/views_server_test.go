package postgresql

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// viewsDB has a view, a materialized view and a foreign table of the ids 1 to 3, and the table below them.
func viewsDB(t testing.TB) *testDB {
	t.Helper()
	db := newDB(t)
	db.exec(`CREATE TABLE base (id int PRIMARY KEY, v text); INSERT INTO base VALUES (1, 'x'), (2, 'x'), (3, 'x');
		CREATE VIEW inner_view AS SELECT * FROM base; CREATE VIEW v AS SELECT id, v FROM inner_view;
		CREATE MATERIALIZED VIEW m AS SELECT * FROM base`)
	adminExec(t, db.name, `CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE public.f (id int, v text) SERVER files OPTIONS (program 'printf "1\\tx\\n2\\tx\\n3\\tx\\n"');
		GRANT SELECT ON public.f TO PUBLIC`)
	return db
}

func TestViewsThatAreNamed(t *testing.T) {
	t.Parallel()
	db := viewsDB(t)
	declared := map[string][]string{"v": {"id"}, "public.m": {"ID"}, "f": {"v", "id"}, "inner_view": {"id"}}
	for _, tt := range []struct {
		tables string
		want   []string
	}{
		{"*", []string{"public.base"}},
		{"*,v", []string{"public.base", "public.v"}},
		{"public.v,m,f", []string{"public.f", "public.m", "public.v"}},
		{"m,v,-v", []string{"public.m"}},
		{`"f",-m`, []string{"public.f"}},
	} {
		got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": tt.tables}), source.Env{IDColumns: declared})
		if diff := cmp.Diff(tt.want, sqltest.Scopes(got)); diff != "" {
			t.Errorf("tables %s: %s", tt.tables, diff)
		}
		for scope, r := range got {
			table := strings.TrimPrefix(scope, "public.")
			id := db.name + "_public_" + table + map[bool]string{true: "_x_1", false: "_1"}[table == "f"]
			doc := strings.ReplaceAll(`{"public_T_id":1,"public_T_v":"x"}`, "T", table)
			if r.Err != nil || len(r.IDs) != 3 || r.IDs[0] != id || r.Docs[0] != doc {
				t.Errorf("%s: %+v; want 3 like %s %s", scope, r, id, doc)
			}
		}
	}
}

func TestViewsWithoutDeclaredIDs(t *testing.T) {
	t.Parallel()
	db := viewsDB(t)
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "v,m,f"}), source.Env{IDColumns: map[string][]string{"v": {"nosuch"}}})
	sqltest.Refuse(t, got["public.v"].Err, source.ErrConfig, `the view has no column "nosuch"`)
	sqltest.Refuse(t, got["public.m"].Err, source.ErrConfig, "a materialized view has no key", `id_columns: {"public.m": [COLUMN]}`)
	sqltest.Refuse(t, got["public.f"].Err, source.ErrConfig, "a foreign table has no key", `id_columns: {"public.f": [COLUMN]}`)
}

// TestViewRights checks that reading a view needs rights on the view, not on the tables below it.
func TestViewRights(t *testing.T) {
	t.Parallel()
	db := viewsDB(t)
	role, values := db.reader()
	values["tables"] = "v"
	env := source.Env{IDColumns: map[string][]string{"v": {"id"}}}
	sqltest.Refuse(t, sqltest.ReadSource(t, &Type, values, env)["public.v"].Err, source.ErrAuth, "may not read", `GRANT SELECT ON "public"."v"`)
	db.exec("GRANT SELECT ON v TO " + role)
	if r := sqltest.ReadSource(t, &Type, values, env)["public.v"]; r.Err != nil || len(r.IDs) != 3 {
		t.Errorf("got %+v", r)
	}
}

// TestTheHintGrantsTheMissingRight checks views that may be read, but depend on an object without the necessary
// right. Following the hint helps.
func TestTheHintGrantsTheMissingRight(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ make, lacks, hint string }{
		"of a function": {
			`CREATE SCHEMA "Tools"; CREATE FUNCTION "Tools".reveal(x text, y int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(x)'; CREATE VIEW v AS SELECT id, "Tools".reveal(v, 1) AS v FROM base;
			GRANT USAGE ON SCHEMA "Tools" TO ROLE; GRANT SELECT ON v TO ROLE`,
			`REVOKE EXECUTE ON FUNCTION "Tools".reveal FROM PUBLIC`, `GRANT EXECUTE ON FUNCTION "Tools".reveal(x text, y integer) TO ROLE; or exclude it with`,
		},
		"of a table of another owner": {
			`CREATE VIEW v AS SELECT * FROM base; GRANT SELECT ON v TO ROLE`, `REVOKE SELECT ON base FROM OWNER`, `GRANT SELECT ON public.base TO OWNER; or exclude it with`,
		},
		"of itself, since the run began": {`CREATE TABLE v AS SELECT * FROM base; GRANT SELECT ON v TO ROLE`, `REVOKE SELECT ON v FROM ROLE`, `GRANT SELECT ON "public"."v" TO "ROLE"; or exclude it with`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			role, values := db.reader()
			values["tables"] = "v"
			as := func(sql string) string {
				return strings.NewReplacer("ROLE", role, "OWNER", db.config.User).Replace(sql)
			}
			db.exec("CREATE TABLE base (id int PRIMARY KEY, v text); INSERT INTO base VALUES (1, 'x');" + as(tt.make))
			env := source.Env{IDColumns: map[string][]string{"v": {"id"}}}
			parts := sqltest.List(t, openSource(t, values, env))
			db.exec(as(tt.lacks))
			r := sqltest.Read(t.Context(), parts[0])
			sqltest.Refuse(t, r.Err, source.ErrAuth, "permission denied", as(tt.hint))
			if hint := source.Hint(r.Err); strings.Count(hint, "GRANT") != 1 {
				t.Errorf("the hint grants more than the missing right: %s", hint)
			}
			statement, _, _ := strings.Cut(source.Hint(r.Err), ";")
			db.exec(statement)
			if r := sqltest.ReadSource(t, &Type, values, env)["public.v"]; r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("after %s: %+v", statement, r)
			}
		})
	}
}

// TestViewsInTheSnapshot changes the tables below the views after the tables were listed.
func TestViewsInTheSnapshot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change string
		view   []string // ids
	}{
		"rows":        {change: "DELETE FROM base WHERE id = 1; INSERT INTO base VALUES (4)", view: []string{"1", "2", "3"}},
		"truncated":   {change: "TRUNCATE base; INSERT INTO base VALUES (9)", view: []string{"9"}},
		"rewritten":   {change: "VACUUM FULL base", view: []string{"1", "2", "3"}},
		"other query": {change: "CREATE OR REPLACE VIEW v AS SELECT id, v FROM base WHERE id = 2", view: []string{"2"}},
		"replaced":    {change: "DROP VIEW v; CREATE VIEW v AS SELECT v, id FROM base", view: []string{"1", "2", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := viewsDB(t)
			env := source.Env{IDColumns: map[string][]string{"v": {"id"}, "m": {"id"}}}
			parts := sqltest.Listed(t, openSource(t, db.values(map[string]any{"tables": "v,m"}), env))
			db.exec(tt.change)
			for scope, want := range map[string][]string{"public.v": tt.view, "public.m": {"1", "2", "3"}} {
				got := sqltest.Read(t.Context(), parts[scope])
				for i, id := range got.IDs {
					got.IDs[i] = id[strings.LastIndexByte(id, '_')+1:]
				}
				slices.Sort(got.IDs)
				if diff := cmp.Diff(want, got.IDs); diff != "" || got.Err != nil {
					t.Errorf("%s: %v %s", scope, got.Err, diff)
				}
			}
		})
	}
}

// TestTruncatedWhileWaiting commits a TRUNCATE while the statement already waits for the truncated table. In the
// statement's snapshot the table is empty; only the check after the last row finds out.
func TestTruncatedWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"v", "p"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec(`CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
				INSERT INTO p VALUES (1), (2); CREATE VIEW v AS SELECT * FROM p`)
			env := source.Env{IDColumns: map[string][]string{"v": {"id"}}}
			part := sqltest.Listed(t, openSource(t, db.values(map[string]any{"tables": table}), env))["public."+table]
			err := db.readAfter(part, "TRUNCATE p1; INSERT INTO p VALUES (3)")
			sqltest.Refuse(t, err, source.ErrTemporary, "rewritten since the run began")
		})
	}
}

// readAfter reads a part while another session makes a change that it commits once the statement waits for it.
func (db *testDB) readAfter(part source.Part, do string) error {
	db.t.Helper()
	ctx, other := db.t.Context(), db.session()
	if _, err := other.PgConn().Exec(ctx, "BEGIN; "+do).ReadAll(); err != nil {
		db.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // ends when the statement no longer waits
		sqltest.Eventually(db.t, "the statement waits", func() bool {
			var n int
			err := other.QueryRow(ctx, "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&n)
			return err != nil || n > 0
		})
		if _, err := other.PgConn().Exec(ctx, "COMMIT").ReadAll(); err != nil {
			db.t.Error(err)
		}
	})
	got := sqltest.Read(ctx, part)
	wg.Wait()
	return got.Err
}

// TestPatternsNameNoViews checks that a view must be named: a pattern that only a view matches selects nothing, which
// is an error in addition to the tables that are read.
func TestPatternsNameNoViews(t *testing.T) {
	t.Parallel()
	db := viewsDB(t)
	got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "*,v*,?"}), source.Env{})
	if diff := cmp.Diff([]string{"?", "public.base", "v*"}, sqltest.Scopes(got)); diff != "" {
		t.Error(diff)
	}
	for scope, r := range got {
		if read := r.Err == nil; read != (scope == "public.base") {
			t.Errorf("%s: %v", scope, r.Err)
		}
	}
}
