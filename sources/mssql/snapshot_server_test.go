package mssql

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestOneSnapshotForAllTables checks that no session sees rows written after the tables were listed.
func TestOneSnapshotForAllTables(t *testing.T) {
	t.Parallel()
	sqltest.OneSnapshot(t, newDB(t).shared(), 6, "may be some milliseconds apart")
}

// TestSnapshotsWhileOthersWrite checks that a transaction open at the start of the run is not seen, and that the run
// does not wait for it.
func TestSnapshotsWhileOthersWrite(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shared().Create(sqltest.Numbered(6)...)
	end := db.transaction("DELETE FROM t0; INSERT INTO t0 VALUES (9, 9)")
	parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
	end("COMMIT")
	if r := sqltest.Read(t.Context(), parts["dbo.t0"]); r.Err != nil || len(r.IDs) != 2 {
		t.Errorf("%+v", r)
	}
}

// TestTablesAlreadyReadCanBeAltered checks that a table that was read can be altered while others are still being
// read.
func TestTablesAlreadyReadCanBeAltered(t *testing.T) {
	t.Parallel()
	sqltest.TablesAlreadyReadCanBeAltered(t, newDB(t).shared(), "SET LOCK_TIMEOUT 180000; ALTER TABLE t0 ADD w int")
}

// TestMoreReadersThanSnapshots checks that additional readers take their own snapshot, which is reported once.
func TestMoreReadersThanSnapshots(t *testing.T) {
	t.Parallel()
	sqltest.MoreReadersThanSnapshots(t, newDB(t).shared(), idleIn)
}

// TestFewConnections checks that parts wait for each other if the server accepts only two connections. The server of
// mssqltest refuses the others, as SQL Server does.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.shared().Create(sqltest.Numbered(6)...)
	d := openSource(t, db.values(nil), source.Env{})
	wayOf(d).NoPauses()
	var dials atomic.Int32
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) > 2 {
			db.here.TDS().RefuseLogin(tdstest.Message{Number: 17809, Class: 17, Text: "the maximum number of user connections is reached"})
		}
		return dial(ctx, network, address)
	}
	sqltest.Concurrently(t, d, 2)
	if dials.Load() < 3 {
		t.Errorf("connected %d times", dials.Load())
	}
}

// TestTablesThatCannotBeReadCostNoSnapshot checks that tables without a key leave the snapshot to the others, even
// with few connections.
func TestTablesThatCannotBeReadCostNoSnapshot(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.shared().Create(sqltest.Numbered(6)...)
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
	if failed != 6 || strings.Contains(log.String(), "from a later snapshot") {
		t.Errorf("%d tables failed, logged %s", failed, log)
	}
	if n := idleIn(d); n != sqlread.MostSnapshots {
		t.Errorf("%d sessions are idle", n)
	}
}

// TestNoTableTakesTheSnapshot checks that the run continues without a snapshot, and reports it, if the first read of
// each table fails. The server of mssqltest fails on demand.
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
	if !strings.Contains(log.String(), "no table can be read to take a snapshot") {
		t.Errorf("logged %s", log)
	}
}

func TestTablesThatChange(t *testing.T) {
	t.Parallel()
	each := func(t *testing.T, check func(t *testing.T, db *sqltest.DB)) { t.Helper(); check(t, newDB(t).shared()) }
	sqltest.TablesThatChange(t, each, map[string]sqltest.Change{
		"dropped":        {Do: []string{"DROP TABLE t"}, Fails: "it was dropped or renamed"},
		"renamed":        {Do: []string{"EXEC sp_rename 't', 'u'"}, Fails: "it was dropped or renamed"},
		"column added":   {Do: []string{"ALTER TABLE t ADD w int"}, Rows: 3, Doc: `{"dbo_t_id":1,"dbo_t_v":"x","dbo_t_w":null}`},
		"column dropped": {Do: []string{"ALTER TABLE t DROP COLUMN v"}, Rows: 3, Doc: `{"dbo_t_id":1}`},
		"type changed":   {Do: []string{"ALTER TABLE t ALTER COLUMN v nchar(2)"}, Rows: 3, Doc: `{"dbo_t_id":1,"dbo_t_v":"x "}`},
		"replaced":       {Do: []string{"DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (5)"}, Fails: "it was dropped or renamed"},
		"key dropped":    {Do: []string{"ALTER TABLE t DROP CONSTRAINT t_key"}, Fails: "neither a primary key"},
	})
}

// TestTablesWithoutSnapshots checks that a table that the server refuses to read in a snapshot transaction is read
// without one, and that the consequence is logged. The server of mssqltest refuses the same tables as SQL Server:
// memory-optimized ones, and views of other databases.
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
		warnings := 1 // except for tables that never had one
		if number == 41332 || number == 3952 {
			warnings = 0
		}
		if n := strings.Count(log.String(), "level=WARN"); n != warnings || !strings.Contains(log.String(), "reading the table without a snapshot") {
			t.Errorf("%d: %d warnings in %s", number, n, log)
		}
		rule := sqltest.List(t, openSource(t, values, sqltest.RuleEnv(sqltest.QueryOf("SELECT id FROM a", "a"))))[0]
		db.here.Break(refusal)
		if r := sqltest.Read(t.Context(), rule); r.Err != nil || len(r.IDs) != 2 {
			t.Errorf("%d, a rule: %+v", number, r)
		}
	}
}

// TestIDsOnly checks that only the key columns are selected.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	sqltest.IDsOnly(t, newDB(t).shared())
}

// TestRowsThatAreLarge reads a value of 20 MB, and a table of almost as many columns as SQL Server allows.
func TestRowsThatAreLarge(t *testing.T) {
	t.Parallel()
	const size = 10 << 20
	repeat := sqltest.SQL(fmt.Sprintf("REPLICATE(CONVERT(nvarchar(max), N'x'), %d)", size))
	sqltest.RowsThatAreLarge(t, newDB(t).shared(), size, "nvarchar(max)", repeat)
}
