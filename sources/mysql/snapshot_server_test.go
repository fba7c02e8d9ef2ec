package mysql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestCase59OneSnapshot: what is written after the tables were listed is not seen, whatever session reads.
func TestCase59OneSnapshot(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		for i := range 6 {
			db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, v int); INSERT INTO t%d VALUES (1, 1), (2, 1)", i, i))
		}
		log := &sqltest.Logbook{}
		parts := sqltest.Listed(t, openSource(t, db.values(nil), log.Env()))
		for i := range 6 {
			db.exec(fmt.Sprintf("INSERT INTO t%d VALUES (3, 1); UPDATE t%d SET v = 2 WHERE id = 1; DELETE FROM t%d WHERE id = 2", i, i, i))
		}
		for scope, p := range parts {
			r := sqltest.Read(t.Context(), p)
			if d := cmp.Diff([]string{`{"id_":1,"v":1}`, `{"id_":2,"v":1}`}, r.Docs); d != "" || r.Err != nil {
				t.Errorf("%s: %v %s", scope, r.Err, d)
			}
		}
		if strings.Contains(log.String(), "level=WARN") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestSnapshotsAreOfOneInstant writes two tables in one transaction all the time: sessions that began
// while nobody wrote see the same of both.
func TestSnapshotsAreOfOneInstant(t *testing.T) {
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
				d.GiveBack(t.Context(), s, d.Abandon(r, true, nil))
			}
			if apart := strings.Contains(log.String(), "milliseconds apart"); !apart && !slices.Equal(docs[0], docs[1]) {
				t.Errorf("the sessions saw %v and %v", docs[0], docs[1])
			}
		}
	})
}

// TestNobodyWaitsForTheRun: once a table was read, it may be altered while the others are still read.
func TestNobodyWaitsForTheRun(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)")
		parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
		if r := sqltest.Read(t.Context(), parts["a"]); r.Err != nil || len(r.IDs) != 1 {
			t.Fatalf("%+v", r)
		}
		db.exec("SET SESSION lock_wait_timeout = 180; ALTER TABLE a ADD COLUMN v int; INSERT INTO b VALUES (2)")
		if r := sqltest.Read(t.Context(), parts["b"]); r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// TestMoreReadersThanSnapshots: those beyond take a snapshot of their own, which is said once.
func TestMoreReadersThanSnapshots(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		for i := range 6 {
			db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY); INSERT INTO t%d VALUES (1), (2)", i, i))
		}
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
	})
}

// TestFewConnections: where the user may have but two, parts wait for each other.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		for i := range 6 {
			db.exec(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY); INSERT INTO t%d VALUES (1), (2)", i, i))
		}
		user, values := db.user()
		db.exec("ALTER USER " + user + " WITH MAX_USER_CONNECTIONS 2")
		d := openSource(t, values, source.Env{})
		wayOf(d).NoPauses()
		var wg sync.WaitGroup
		for _, p := range sqltest.Listed(t, d) {
			wg.Go(func() { // ends with the part
				if r := sqltest.Read(t.Context(), p); r.Err != nil || len(r.IDs) != 2 {
					t.Errorf("%s: %+v", p.Scope(), r)
				}
			})
		}
		wg.Wait()
	})
}

func TestCase58TablesThatChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change string // after the tables were listed
		rows   int
		doc    string // of the first row
		fails  string
	}{
		"dropped":        {change: "DROP TABLE t", fails: "doesn't exist"},
		"renamed":        {change: "RENAME TABLE t TO u", fails: "doesn't exist"},
		"column added":   {change: "ALTER TABLE t ADD COLUMN w int, ALGORITHM = COPY", rows: 3, doc: `{"id_":1,"v":"x","w":null}`},
		"column dropped": {change: "ALTER TABLE t DROP COLUMN v, ALGORITHM = COPY", rows: 3, doc: `{"id_":1}`},
		"type changed":   {change: "ALTER TABLE t MODIFY id varchar(9)", rows: 3, doc: `{"id_":"1","v":"x"}`},
		"truncated":      {change: "TRUNCATE t; INSERT INTO t VALUES (9, 'new')", rows: 1, doc: `{"id_":9,"v":"new"}`},
		"replaced":       {change: "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (5)", rows: 1, doc: `{"id_":5}`},
		"key dropped":    {change: "ALTER TABLE t DROP PRIMARY KEY", fails: "neither a primary key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, db *testDB) {
				db.exec("CREATE TABLE t (id int PRIMARY KEY, v varchar(9)); INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'x'); CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o VALUES (1)")
				parts := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))
				db.exec(tt.change)
				got := sqltest.Read(t.Context(), parts["t"])
				if tt.fails != "" {
					sqltest.Refuse(t, got.Err, nil, "t: ", tt.fails)
					if errors.Is(got.Err, source.ErrTemporary) {
						t.Error("a table that is gone does not come back by itself")
					}
				} else if got.Err != nil || len(got.Docs) != tt.rows || got.Docs[0] != tt.doc {
					t.Errorf("got %v, %v; want %d like %s", got.Docs, got.Err, tt.rows, tt.doc)
				}
				if r := sqltest.Read(t.Context(), parts["o"]); r.Err != nil || len(r.IDs) != 1 {
					t.Errorf("another table: %+v", r)
				}
			})
		})
	}
}

// TestStorageWithoutSnapshots is read, and it is said what that means.
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
		if n := strings.Count(log.String(), "has no snapshots"); n != 2 {
			t.Errorf("logged %s", log)
		}
	})
}

// TestIDsOnly: only the columns of the key are asked for.
func TestIDsOnly(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (v varchar(9), b int, a int, PRIMARY KEY (b, a)); INSERT INTO t VALUES ('x', 1, 2); CREATE TABLE named (v varchar(9), k int); INSERT INTO named VALUES ('x', 7)")
		for _, profile := range []string{"head", "seed87", "native"} {
			env := source.Env{Profile: profile, IDColumns: map[string][]string{"named": {"k"}}}
			whole := sqltest.ReadSource(t, &Type, db.values(nil), env)
			env.IDsOnly = true
			ids := sqltest.ReadSource(t, &Type, db.values(nil), env)
			for _, scope := range []string{"t", "named"} {
				if d := cmp.Diff(whole[scope].IDs, ids[scope].IDs); d != "" || ids[scope].Err != nil {
					t.Errorf("%s %s: %v %s", profile, scope, ids[scope].Err, d)
				}
				if doc := ids[scope].Docs[0]; strings.Contains(doc, `"x"`) || !strings.Contains(whole[scope].Docs[0], `"x"`) {
					t.Errorf("%s %s: got %s", profile, scope, doc)
				}
			}
		}
	})
}

// TestRowsThatAreLarge: a row of more than the protocol's 16 MiB, and a table of many columns.
func TestRowsThatAreLarge(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		const size = 40 << 20
		db.exec(fmt.Sprintf("CREATE TABLE large (id int PRIMARY KEY, v longtext); INSERT INTO large VALUES (1, repeat('x', %d)), (2, 'y')", size))
		var columns strings.Builder
		for i := range 999 {
			fmt.Fprintf(&columns, ", c%d int", i)
		}
		db.exec("CREATE TABLE wide (id int PRIMARY KEY" + columns.String() + "); INSERT INTO wide (id, c998) VALUES (1, 5)")
		got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
		if r := got["large"]; r.Err != nil || len(r.Docs) != 2 || len(r.Docs[0]) != size+len(`{"id_":1,"v":""}`) {
			t.Errorf("%v: %d rows", r.Err, len(r.Docs))
		}
		if r := got["wide"]; r.Err != nil || len(r.Docs) != 1 || !strings.HasSuffix(r.Docs[0], `"c997":null,"c998":5}`) {
			t.Errorf("%+v", r)
		}
	})
}
