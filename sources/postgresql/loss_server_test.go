package postgresql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// lossRows of 1.9 KB each: after the last loss, at 13,000, more rows must remain than the buffers on the way hold,
// some 4 MB. Otherwise the statement ends before the connection is lost. By then a sixth of the rows has been deleted
// or shortened.
const lossRows = 20_000

// lossDB has rows that do not fit into the buffers on the way, in three kinds of tables. Some rows were updated, so
// their positions are not in key order.
func lossDB(t testing.TB) *testDB {
	t.Helper()
	db := newDB(t)
	db.exec(`CREATE TABLE t (id int PRIMARY KEY, v text);
		CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
		CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (6000) TO (99999) PARTITION BY RANGE (id);
		CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (12000) TO (99999);
		CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (6000) TO (12000);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (6000);
		CREATE TABLE i (id int PRIMARY KEY, v text); CREATE TABLE i2 () INHERITS (i)`)
	for _, table := range []string{"t", "p"} {
		db.exec(fmt.Sprintf("INSERT INTO %s SELECT g, repeat('x', 1900) FROM generate_series(1, %d) g", table, lossRows))
	}
	db.exec(fmt.Sprintf(`INSERT INTO i SELECT * FROM t WHERE id <= 5000; INSERT INTO i2 SELECT * FROM t WHERE id > 5000;
		UPDATE t SET v = v || 'y' WHERE id %% 7 = 0; UPDATE p SET v = v || 'y' WHERE id %% 7 = 0; UPDATE i SET v = v || 'y' WHERE id %% 7 = 0; DELETE FROM t WHERE id > %d`, lossRows))
	return db
}

// end ends the sessions of this program in the database that are in the given state.
func (db *testDB) end(function, state string) {
	db.t.Helper()
	adminExec(db.t, "", fmt.Sprintf("SELECT %s FROM pg_stat_activity WHERE application_name = 'elastic-ingest' AND datname = '%s' AND state = '%s'",
		function, db.name, state))
}

const (
	terminate = "pg_terminate_backend(pid, 300000)" // waits that many milliseconds
	busy      = "active"
	waiting   = "idle in transaction" // the session that holds the snapshot
)

// TestReadingResumesAfterTheLastRow repeatedly ends the connection that reads, and changes the table in between.
func TestReadingResumesAfterTheLastRow(t *testing.T) {
	t.Parallel()
	db := lossDB(t)
	for _, table := range []string{"t", "p", "i"} {
		log := &sqltest.Logbook{}
		d := openSource(t, db.values(map[string]any{"tables": table, "retry_count": 2}), log.Env())
		pauses := wayOf(d).NoPauses()
		part := sqltest.Listed(t, d)["public."+table]
		lose := func() {
			db.end(terminate, busy)
			db.exec(fmt.Sprintf("DELETE FROM %[1]s WHERE id %% 11 = 0; UPDATE %[1]s SET v = 'z' WHERE id %% 13 = 0; INSERT INTO %[1]s SELECT -g, 'new' FROM generate_series(1, 100) g WHERE '%[1]s' <> 'p' ON CONFLICT DO NOTHING", table))
			db.exec("VACUUM " + table)
		}
		times, err := sqltest.ReadWith(t, part, map[int]func(){1: lose, 7000: lose, 13000: lose})
		if err != nil {
			t.Errorf("%s: %v", table, err)
			continue
		}
		sqltest.Once(t, times, lossRows)
		if n := strings.Count(log.String(), "resuming after the last row"); n != 3 || pauses.Load() != 3 {
			t.Errorf("%s: resumed %d times with %d pauses, want 3:\n%s", table, n, pauses.Load(), log)
		}
	}
}

// TestLossesThatEndTheTable has losses after which the rows after the last one read cannot be known, or not be read.
func TestLossesThatEndTheTable(t *testing.T) {
	t.Parallel()
	on := func(t *testing.T, test func(t *testing.T, db *testDB)) { t.Helper(); test(t, lossDB(t)) }
	sqltest.LossesOfTheServer(t, on, func(t *testing.T, db *testDB, set map[string]any) (string, sqltest.Way) {
		t.Helper()
		role, values := db.reader()
		db.exec("GRANT SELECT ON t TO " + role)
		values["tables"], values["retry_count"] = "t", 3
		return role, wayOf(openSource(t, sqltest.Changed(values, set), source.Env{}))
	}, lossRows, map[string]sqltest.ServerLoss[*testDB]{
		"the snapshot as well":     {Lose: func(db *testDB, _ string) { db.end(terminate, waiting); db.end(terminate, busy) }, Kind: source.ErrTemporary, Says: "the snapshot cannot be used"},
		"rewritten during the run": {Lose: func(db *testDB, _ string) { db.end(terminate, busy); db.exec("CLUSTER t USING t_pkey") }, Kind: source.ErrTemporary, Says: "rewritten since the run began"},
		"truncated during the run": {Lose: func(db *testDB, _ string) { db.end(terminate, busy); db.exec("TRUNCATE t") }, Kind: source.ErrTemporary, Says: "rewritten since the run began"},
		"no attempt is left":       {Set: map[string]any{"retry_count": 1}, Lose: func(db *testDB, _ string) { db.end(terminate, busy) }, Kind: source.ErrTemporary, Says: "public.t: read rows"},
		"canceled by a user":       {Lose: func(db *testDB, _ string) { db.end("pg_cancel_backend(pid)", busy) }, Kind: source.ErrTemporary, Says: "57014"},
		"rights are revoked as well": {Lose: func(db *testDB, role string) {
			db.end(terminate, busy)
			db.exec("REVOKE SELECT ON t FROM " + role)
		}, Kind: source.ErrAuth, Says: "GRANT SELECT ON"},
	})
}
