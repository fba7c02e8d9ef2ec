package mysql

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestOneSnapshotForAllTables checks that no session sees rows written after the tables were listed.
func TestOneSnapshotForAllTables(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, db *sqltest.DB) { sqltest.OneSnapshot(t, db, 6, "") })
}

// TestSnapshotsShareOneInstant continuously writes two tables in one transaction: sessions that began between two
// writes see the same state of both.
func TestSnapshotsShareOneInstant(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY, v int); INSERT INTO a VALUES (1, 0); INSERT INTO b VALUES (1, 0)")
		var wg sync.WaitGroup
		stop := make(chan struct{})
		wg.Go(func() { // ends when stop is closed
			tick := time.NewTicker(7 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
					db.exec("START TRANSACTION; UPDATE a SET v = v + 1; UPDATE b SET v = v + 1; COMMIT")
				}
			}
		})
		defer wg.Wait()
		defer close(stop)
		for range 20 {
			log := &sqltest.Logbook{}
			d := openSource(t, db.values(nil), log.Env())
			parts := sqltest.Listed(t, d)
			var sessions []*session
			for s, ok := d.Snapshots.Take(); ok; s, ok = d.Snapshots.Take() {
				sessions = append(sessions, s)
			}
			var docs [][]string
			for i, s := range sessions {
				r, err := parts[[]string{"a", "b"}[i]].(*part).OpenOn(t.Context(), s, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				doc := r.Row(r.Result.Row)
				docs = append(docs, []string{sqltest.Body(&doc)})
				d.ReleaseAfter(t.Context(), s, d.Abandon(r, true, nil))
			}
			if apart := strings.Contains(log.String(), "milliseconds apart"); !apart && !slices.Equal(docs[0], docs[1]) {
				t.Errorf("the sessions saw %v and %v", docs[0], docs[1])
			}
		}
	})
}

// TestTablesAlreadyReadCanBeAltered checks that a table that was read can be altered while others are still being
// read.
func TestTablesAlreadyReadCanBeAltered(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, db *sqltest.DB) {
		sqltest.TablesAlreadyReadCanBeAltered(t, db, "SET SESSION lock_wait_timeout = 180; ALTER TABLE t0 ADD COLUMN w int")
	})
}

// TestMoreReadersThanSnapshots checks that additional readers take their own snapshot, which is reported once.
func TestMoreReadersThanSnapshots(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, db *sqltest.DB) { sqltest.MoreReadersThanSnapshots(t, db, idleIn) })
}

// TestFewConnections checks that parts wait for each other if the user may have only two connections.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shared().Create(sqltest.Numbered(6)...)
		user, values := db.user()
		db.exec("ALTER USER " + user + " WITH MAX_USER_CONNECTIONS 2")
		d := openSource(t, values, source.Env{})
		wayOf(d).NoPauses()
		sqltest.Concurrently(t, d, 2)
	})
}

func TestTablesThatChange(t *testing.T) {
	t.Parallel()
	sqltest.TablesThatChange(t, eachServer, map[string]sqltest.Change{
		"dropped":        {Do: []string{"DROP TABLE t"}, Fails: "doesn't exist"},
		"renamed":        {Do: []string{"RENAME TABLE t TO u"}, Fails: "doesn't exist"},
		"column added":   {Do: []string{"ALTER TABLE t ADD COLUMN w int, ALGORITHM = COPY"}, Rows: 3, Doc: `{"id_":1,"v":"x","w":null}`},
		"column dropped": {Do: []string{"ALTER TABLE t DROP COLUMN v, ALGORITHM = COPY"}, Rows: 3, Doc: `{"id_":1}`},
		"type changed":   {Do: []string{"ALTER TABLE t MODIFY id varchar(9)"}, Rows: 3, Doc: `{"id_":"1","v":"x"}`},
		"truncated":      {Do: []string{"TRUNCATE t; INSERT INTO t VALUES (9, 'new')"}, Rows: 1, Doc: `{"id_":9,"v":"new"}`},
		"replaced":       {Do: []string{"DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (5)"}, Rows: 1, Doc: `{"id_":5}`},
		"key dropped":    {Do: []string{"ALTER TABLE t DROP PRIMARY KEY"}, Fails: "neither a primary key"},
	})
}

// TestStorageWithoutSnapshots checks that such tables are read, and that the consequence is logged.
func TestStorageWithoutSnapshots(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE m (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO m VALUES (2), (1); CREATE TABLE h (id int PRIMARY KEY) ENGINE = MEMORY; INSERT INTO h VALUES (1)")
		log := &sqltest.Logbook{}
		got := sqltest.ReadSource(t, &Type, db.values(nil), log.Env())
		for scope, want := range map[string][]string{"m": {"m_1", "m_2"}, "h": {"h_1"}} {
			if r := got[scope]; r.Err != nil || !slices.Equal(r.IDs, want) {
				t.Errorf("%s: %+v", scope, r)
			}
		}
		if n := strings.Count(log.String(), "because its storage engine has none"); n != 2 {
			t.Errorf("logged %s", log)
		}
	})
}

// TestIDsOnly checks that only the key columns are selected.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	eachServer(t, sqltest.IDsOnly)
}

// TestRowsThatAreLarge reads a row larger than the protocol's 16 MiB, and a table of many columns.
func TestRowsThatAreLarge(t *testing.T) {
	t.Parallel()
	const size = 40 << 20
	eachServer(t, func(t *testing.T, db *sqltest.DB) {
		sqltest.RowsThatAreLarge(t, db, size, "longtext", sqltest.SQL(fmt.Sprintf("repeat('x', %d)", size)))
	})
}
