package postgresql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestRowSecurity reads a table of three rows as a role that policies apply to: rows that may be hidden must not look
// deleted.
func TestRowSecurity(t *testing.T) {
	t.Parallel()
	const secure = "ALTER TABLE t ENABLE ROW LEVEL SECURITY; "
	for name, tt := range map[string]struct {
		set      string // ROLE is the role's name
		rows     int
		complete bool
	}{
		"not enabled":                  {set: "CREATE POLICY a ON t USING (id = 1)", rows: 3, complete: true},
		"no policy":                    {set: secure, rows: 0},
		"some rows":                    {set: secure + "CREATE POLICY a ON t USING (id < 3)", rows: 2},
		"all present rows":             {set: secure + "CREATE POLICY a ON t USING (id > 0)", rows: 3},
		"all rows for all":             {set: secure + "CREATE POLICY a ON t USING (true)", rows: 3, complete: true},
		"all rows for the role":        {set: secure + "CREATE POLICY a ON t FOR SELECT TO ROLE USING (true); CREATE POLICY b ON t USING (false)", rows: 3, complete: true},
		"all rows for another":         {set: secure + "CREATE POLICY a ON t TO pg_monitor USING (true)", rows: 0},
		"a policy for INSERT only":     {set: secure + "CREATE POLICY a ON t FOR INSERT WITH CHECK (true)", rows: 0},
		"restricted":                   {set: secure + "CREATE POLICY a ON t USING (true); CREATE POLICY b ON t AS RESTRICTIVE USING (id = 2)", rows: 1},
		"restricted, for writing only": {set: secure + "CREATE POLICY a ON t USING (true); CREATE POLICY b ON t AS RESTRICTIVE FOR UPDATE USING (id = 2)", rows: 3, complete: true},
		"bypassed":                     {set: secure + "ALTER ROLE ROLE BYPASSRLS", rows: 3, complete: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			role, values := db.reader()
			db.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3); GRANT SELECT ON t TO " + role)
			adminExec(t, db.name, strings.NewReplacer("ROLE USING", role+" USING", "ROLE ROLE", "ROLE "+role).Replace(tt.set))
			got := sqltest.ReadSource(t, &Type, values, source.Env{})["public.t"]
			if len(got.IDs) != tt.rows {
				t.Errorf("got %d rows, want %d", len(got.IDs), tt.rows)
			}
			if tt.complete && got.Err != nil {
				t.Error(got.Err)
			}
			if !tt.complete {
				sqltest.Refuse(t, got.Err, source.ErrAuth, "row security", "ALTER ROLE \""+role+"\" BYPASSRLS;", "USING (true)", `tables: ["*", "-public.t"]`)
			}
		})
	}
}

// TestRowSecurityHint follows the hint.
func TestRowSecurityHint(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	db.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO " + role)
	hint := source.Hint(sqltest.ReadSource(t, &Type, values, source.Env{})["public.t"].Err)
	bypass, rest, _ := strings.Cut(hint, "; or ")
	policy, _, _ := strings.Cut(rest, "; or ")
	for _, advice := range []string{policy, bypass} {
		adminExec(t, db.name, advice)
		if r := sqltest.ReadSource(t, &Type, values, source.Env{})["public.t"]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("after %s: %+v", advice, r)
		}
		db.exec("DROP POLICY IF EXISTS elastic_ingest ON t")
	}
}

// TestCurrentPoliciesApply drops the policy that shows all rows while the snapshot still has it.
func TestCurrentPoliciesApply(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	db.exec(`CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		CREATE POLICY a ON t USING (true); GRANT SELECT ON t TO ` + role)
	part := sqltest.Listed(t, openSource(t, values, source.Env{}))["public.t"]
	db.exec("DROP POLICY a ON t")
	got := sqltest.Read(t.Context(), part)
	sqltest.Refuse(t, got.Err, source.ErrAuth, "row security")
}

// TestRowSecurityOfPartitions checks that the policies of the named table apply, and those of its partitions do not.
func TestRowSecurityOfPartitions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	db.exec(`CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
		INSERT INTO p VALUES (1), (2); ALTER TABLE p1 ENABLE ROW LEVEL SECURITY; GRANT SELECT ON p TO ` + role)
	got := sqltest.ReadSource(t, &Type, values, source.Env{})["public.p"]
	slices.Sort(got.Docs)
	if diff := cmp.Diff([]string{`{"public_p_id":1}`, `{"public_p_id":2}`}, got.Docs); diff != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, diff)
	}
	db.exec("ALTER TABLE p ENABLE ROW LEVEL SECURITY")
	sqltest.Refuse(t, sqltest.ReadSource(t, &Type, values, source.Env{})["public.p"].Err, source.ErrAuth, "row security")
}

// TestTruncatedChild truncates a child of the table that is read; in the snapshot it looks empty.
func TestTruncatedChild(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
		INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)`)
	part := sqltest.Listed(t, openSource(t, db.values(map[string]any{"tables": "parent"}), source.Env{}))["public.parent"]
	db.exec("TRUNCATE child; INSERT INTO child VALUES (3)")
	got := sqltest.Read(t.Context(), part)
	slices.Sort(got.Docs)
	if diff := cmp.Diff([]string{`{"public_parent_id":1}`, `{"public_parent_id":3}`}, got.Docs); diff != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, diff)
	}
}
