package mssql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// sixTables makes tables t0 to t5 with two rows each.
func (db *testDB) sixTables() {
	db.t.Helper()
	for i := range 6 {
		db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, v int)", i), fmt.Sprintf("INSERT INTO t%d VALUES (1, 1), (2, 1)", i))
	}
}

// TestCase59OneSnapshot: what is written after the tables were listed is not seen, whatever session reads.
func TestCase59OneSnapshot(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.sixTables()
	log := &sqltest.Logbook{}
	parts := sqltest.Listed(t, openSource(t, db.values(nil), log.Env()))
	for i := range 6 {
		db.exec(fmt.Sprintf("INSERT INTO t%d VALUES (3, 1)", i), fmt.Sprintf("UPDATE t%d SET v = 2 WHERE id = 1", i), fmt.Sprintf("DELETE FROM t%d WHERE id = 2", i))
	}
	for scope, p := range parts {
		r := sqltest.Read(t.Context(), p)
		name := strings.TrimPrefix(scope, "dbo.")
		want := []string{fmt.Sprintf(`{"dbo_%s_id":1,"dbo_%[1]s_v":1}`, name), fmt.Sprintf(`{"dbo_%s_id":2,"dbo_%[1]s_v":1}`, name)}
		if d := cmp.Diff(want, r.Docs); d != "" || r.Err != nil {
			t.Errorf("%s: %v %s", scope, r.Err, d)
		}
	}
	if strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "may be some milliseconds apart") {
		t.Errorf("logged %s", log)
	}
}

// TestSnapshotsWhileOthersWrite: a transaction that is not over when the run begins is not seen, and nobody waits for
// it.
func TestSnapshotsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.sixTables()
	conn, err := db.pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(t.Context(), "BEGIN TRANSACTION; DELETE FROM t0; INSERT INTO t0 VALUES (9, 9)"); err != nil {
		t.Fatal(err)
	}
	parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
	if _, err := conn.ExecContext(t.Context(), "COMMIT TRANSACTION"); err != nil {
		t.Fatal(err)
	}
	if r := sqltest.Read(t.Context(), parts["dbo.t0"]); r.Err != nil || len(r.IDs) != 2 {
		t.Errorf("%+v", r)
	}
}

// TestNobodyWaitsForTheRun: once a table was read, it may be altered while the others are still read.
func TestNobodyWaitsForTheRun(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.sixTables()
	parts := sqltest.Listed(t, openSource(t, db.values(map[string]any{"tables": "t0,t1"}), source.Env{}))
	if r := sqltest.Read(t.Context(), parts["dbo.t0"]); r.Err != nil || len(r.IDs) != 2 {
		t.Fatalf("%+v", r)
	}
	db.exec("SET LOCK_TIMEOUT 180000; ALTER TABLE t0 ADD w int", "INSERT INTO t1 VALUES (3, 1)")
	if r := sqltest.Read(t.Context(), parts["dbo.t1"]); r.Err != nil || len(r.IDs) != 2 {
		t.Errorf("%+v", r)
	}
}

// TestMoreReadersThanSnapshots: those beyond take a snapshot of their own, which is said once.
func TestMoreReadersThanSnapshots(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.sixTables()
	log := &sqltest.Logbook{}
	d := openSource(t, db.values(nil), log.Env())
	parts := slices.Collect(maps.Values(sqltest.Listed(t, d)))
	total := sqltest.Nested(t, parts)
	if total != 12 || strings.Count(log.String(), "taken later than those of the run") != 1 {
		t.Errorf("%d rows came, logged %s", total, log)
	}
	if n := sqltest.LoseIdle[*session](d.Snapshots); n != 6 {
		t.Errorf("%d sessions are idle", n)
	}
}

// TestFewConnections: where the server has but two, parts wait for each other. It is the server of the tests that
// refuses the others, as SQL Server does.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.sixTables()
	d := openSource(t, db.values(nil), source.Env{})
	wayOf(d).NoPauses()
	var dials atomic.Int32
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) > 2 {
			db.here.TDS().RefuseLogin(tdstest.Message{Number: 17809, Class: 17, Text: "the maximum number of user connections is reached"})
		}
		return dial(ctx, network, address)
	}
	var wg sync.WaitGroup
	for _, p := range sqltest.Listed(t, d) {
		wg.Go(func() { // ends with the part
			if r := sqltest.Read(t.Context(), p); r.Err != nil || len(r.IDs) != 2 {
				t.Errorf("%s: %+v", p.Scope(), r)
			}
		})
	}
	wg.Wait()
	if dials.Load() < 3 {
		t.Errorf("connected %d times", dials.Load())
	}
}

// TestTablesThatCannotBeReadCostNoSnapshot: those without a key leave it to the others, though there are few connections.
func TestTablesThatCannotBeReadCostNoSnapshot(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.sixTables()
	for i := range 6 {
		db.exec(fmt.Sprintf("CREATE TABLE s%d (v int)", i))
	}
	log := &sqltest.Logbook{}
	d := openSource(t, db.values(nil), log.Env())
	failed := 0
	for _, p := range sqltest.List(t, d) {
		r := sqltest.Read(t.Context(), p)
		if strings.HasPrefix(p.Scope(), "dbo.s") {
			failed++
			sqltest.Refuse(t, r.Err, source.ErrConfig, "neither a primary key")
		} else if r.Err != nil || len(r.IDs) != 2 {
			t.Errorf("%s: %+v", p.Scope(), r)
		}
	}
	if failed != 6 || strings.Contains(log.String(), "taken later") {
		t.Errorf("%d tables failed, logged %s", failed, log)
	}
	if n := sqltest.LoseIdle[*session](d.Snapshots); n != sqlread.MostSnapshots {
		t.Errorf("%d sessions are idle", n)
	}
}

// TestNoTableTakesTheSnapshot: where the first reading of each fails, the run goes on without, and says so. The server of
// the tests fails when it is told to.
func TestNoTableTakesTheSnapshot(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
	_, values := db.user()
	log := &sqltest.Logbook{}
	d := openSource(t, values, log.Env())
	db.here.Break(mssqltest.Break{Table: "t", Error: &tdstest.Message{Number: 1222, Text: "lock request time out period exceeded"}})
	part := sqltest.Listed(t, d)["dbo.t"]
	db.exec("DELETE FROM t WHERE id = 2")
	if r := sqltest.Read(t.Context(), part); r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(log.String(), "no table could be read to take a snapshot") {
		t.Errorf("logged %s", log)
	}
}

func TestCase58TablesThatChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change []string // after the tables were listed
		rows   int
		doc    string // of the first row
		fails  string
	}{
		"dropped":        {change: []string{"DROP TABLE t"}, fails: "it was dropped or renamed"},
		"renamed":        {change: []string{"EXEC sp_rename 't', 'u'"}, fails: "it was dropped or renamed"},
		"column added":   {change: []string{"ALTER TABLE t ADD w int"}, rows: 3, doc: `{"dbo_t_id":1,"dbo_t_v":"x","dbo_t_w":null}`},
		"column dropped": {change: []string{"ALTER TABLE t DROP COLUMN v"}, rows: 3, doc: `{"dbo_t_id":1}`},
		"type changed":   {change: []string{"ALTER TABLE t ALTER COLUMN v nchar(2)"}, rows: 3, doc: `{"dbo_t_id":1,"dbo_t_v":"x "}`},
		"replaced":       {change: []string{"DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (5)"}, fails: "it was dropped or renamed"},
		"key dropped":    {change: []string{"ALTER TABLE t DROP CONSTRAINT pk"}, fails: "neither a primary key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec("CREATE TABLE t (id int NOT NULL, v nvarchar(9), CONSTRAINT pk PRIMARY KEY (id))", "INSERT INTO t VALUES (1, N'x'), (2, N'x'), (3, N'x')",
				"CREATE TABLE o (id int PRIMARY KEY)", "INSERT INTO o VALUES (1)")
			parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
			db.exec(tt.change...)
			got := sqltest.Read(t.Context(), parts["dbo.t"])
			if tt.fails != "" {
				sqltest.Refuse(t, got.Err, nil, "dbo.t: ", tt.fails)
				if errors.Is(got.Err, source.ErrTemporary) {
					t.Error("a table that is gone does not come back by itself")
				}
			} else if got.Err != nil || len(got.Docs) != tt.rows || got.Docs[0] != tt.doc {
				t.Errorf("got %v, %v; want %d like %s", got.Docs, got.Err, tt.rows, tt.doc)
			}
			if r := sqltest.Read(t.Context(), parts["dbo.o"]); r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("another table: %+v", r)
			}
		})
	}
}

// TestTablesWithoutSnapshots: what the server refuses to read in a transaction with a snapshot is read without one,
// and it is said what that means. The server of the tests refuses where SQL Server would: tables in memory, and views
// of another database.
func TestTablesWithoutSnapshots(t *testing.T) {
	t.Parallel()
	for _, number := range []int32{41332, 3952, 33447, 3963, 3996, 35371} {
		db := newDBHere(t, mssqltest.Config{})
		db.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1), (2)", "CREATE TABLE b (id int PRIMARY KEY)", "INSERT INTO b VALUES (1)")
		_, values := db.user()
		log := &sqltest.Logbook{}
		parts := sqltest.Listed(t, openSource(t, values, log.Env()))
		refusal := mssqltest.Break{Table: "a", Rollback: true, Error: &tdstest.Message{Number: number, Text: "not in a transaction of a snapshot"}}
		db.here.Break(refusal)
		for scope, want := range map[string]int{"dbo.a": 2, "dbo.b": 1} {
			if r := sqltest.Read(t.Context(), parts[scope]); r.Err != nil || len(r.IDs) != want {
				t.Errorf("%d, %s: %+v", number, scope, r)
			}
		}
		warnings := 1 // but for what has always been so
		if number == 41332 || number == 3952 {
			warnings = 0
		}
		if n := strings.Count(log.String(), "level=WARN"); n != warnings || !strings.Contains(log.String(), "so it is read as it is while it is read") {
			t.Errorf("%d: %d warnings in %s", number, n, log)
		}
		rule := sqltest.List(t, openSource(t, values, sqltest.RuleEnv(sqltest.QueryOf("SELECT id FROM a", "a"))))[0]
		db.here.Break(refusal)
		if r := sqltest.Read(t.Context(), rule); r.Err != nil || len(r.IDs) != 2 {
			t.Errorf("%d, a rule: %+v", number, r)
		}
	}
}

// TestIDsOnly: only the columns of the key are asked for.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (v nvarchar(9), b int, a int, PRIMARY KEY (b, a))", "INSERT INTO t VALUES (N'x', 1, 2)",
		"CREATE TABLE named (v nvarchar(9), k int)", "INSERT INTO named VALUES (N'x', 7)")
	for _, profile := range []string{"head", "seed87", "native"} {
		env := source.Env{Profile: profile, IDColumns: map[string][]string{"named": {"k"}}}
		whole := sqltest.ReadSource(t, &Type, db.values(nil), env)
		env.IDsOnly = true
		ids := sqltest.ReadSource(t, &Type, db.values(nil), env)
		for _, scope := range []string{"dbo.t", "dbo.named"} {
			if d := cmp.Diff(whole[scope].IDs, ids[scope].IDs); d != "" || ids[scope].Err != nil {
				t.Errorf("%s %s: %v %s", profile, scope, ids[scope].Err, d)
			}
			if doc := ids[scope].Docs[0]; strings.Contains(doc, `"x"`) || !strings.Contains(whole[scope].Docs[0], `"x"`) {
				t.Errorf("%s %s: got %s", profile, scope, doc)
			}
		}
	}
}

// TestRowsThatAreLarge: a value of 20 MB, and a table of almost as many columns as there may be.
func TestRowsThatAreLarge(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	const size = 10 << 20
	var columns strings.Builder
	for i := range 999 {
		fmt.Fprintf(&columns, ", c%d int", i)
	}
	db.exec("CREATE TABLE large (id int PRIMARY KEY, v nvarchar(max))", fmt.Sprintf("INSERT INTO large VALUES (1, REPLICATE(CONVERT(nvarchar(max), N'x'), %d)), (2, N'y')", size),
		"CREATE TABLE wide (id int PRIMARY KEY"+columns.String()+")", "INSERT INTO wide (id, c998) VALUES (1, 5)")
	got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	if r := got["dbo.large"]; r.Err != nil || len(r.Docs) != 2 || len(r.Docs[0]) != size+len(`{"dbo_large_id":1,"dbo_large_v":""}`) {
		t.Errorf("%v: %d rows", r.Err, len(r.Docs))
	}
	if r := got["dbo.wide"]; r.Err != nil || len(r.Docs) != 1 || !strings.HasSuffix(r.Docs[0], `"dbo_wide_c997":null,"dbo_wide_c998":5}`) {
		t.Errorf("%+v", r)
	}
}
