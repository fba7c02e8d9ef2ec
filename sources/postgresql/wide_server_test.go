package postgresql

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestThousandTables reads many small tables. They share one connection, besides the one that holds the snapshot,
// because they are read one after another.
func TestThousandTables(t *testing.T) {
	t.Parallel()
	const tables, atOnce = 1000, 100
	db := newDB(t)
	for n := 0; n < tables; n += atOnce { // each statement holds locks on all that it creates
		db.exec(fmt.Sprintf(`DO $$ BEGIN FOR n IN %d..%d LOOP
			EXECUTE format('CREATE TABLE t%%s (id int PRIMARY KEY); INSERT INTO t%%s VALUES (%%s)', n, n, n); END LOOP; END $$`, n, n+atOnce-1))
	}
	d := openSource(t, db.values(nil), source.Env{})
	dials := wayOf(d).CountDials(0)
	got := sqltest.ReadAll(t, d)
	if len(got) != tables {
		t.Errorf("got %d parts", len(got))
	}
	for n := range tables {
		want := fmt.Sprintf("%s_public_t%d_%d", db.name, n, n)
		if r := got[fmt.Sprintf("public.t%d", n)]; r.Err != nil || len(r.IDs) != 1 || r.IDs[0] != want {
			t.Fatalf("table %d: %+v", n, r)
		}
	}
	if n := dials.Load(); n > 4 { // a connection dials twice if the server has no TLS
		t.Errorf("dialed %d times for %d tables", n, tables)
	}
}

// TestTheMostColumnsATableCanHave reads a table of 1,600 columns, PostgreSQL's limit; a statement may have 1,664.
func TestTheMostColumnsATableCanHave(t *testing.T) {
	t.Parallel()
	const columns = 1600
	db := newDB(t)
	names, values := make([]string, columns), make([]string, columns)
	for i := range columns {
		names[i], values[i] = fmt.Sprintf("c%d int", i), fmt.Sprint(i)
	}
	db.exec("CREATE TABLE t (" + strings.Join(names, ", ") + ", PRIMARY KEY (c0)); INSERT INTO t VALUES (" + strings.Join(values, ", ") + ")")
	db.exec("CREATE TABLE p (" + strings.Join(names, ", ") + ", PRIMARY KEY (c0)) PARTITION BY RANGE (c0); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p SELECT * FROM t")
	for scope, r := range sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}) {
		if r.Err != nil || len(r.Docs) != 1 {
			t.Fatalf("%s: %d rows, %v", scope, len(r.Docs), r.Err)
		}
		table := strings.TrimPrefix(scope, "public.")
		for _, i := range []int{0, 1, columns - 1} {
			if want := fmt.Sprintf(`"public_%s_c%d":%d`, table, i, i); !strings.Contains(r.Docs[0], want) {
				t.Errorf("%s is not in the document", want)
			}
		}
		if n := strings.Count(r.Docs[0], ":"); n != columns {
			t.Errorf("%s: %d fields", scope, n)
		}
	}
}

// TestIdleConnections reads one part after another. In between, the connection is lost, or idle for so long that the
// server may have closed it.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		between     func(*testDB, *database)
		connections int32 // all connections, including the one of the snapshot
	}{
		"nothing":              {between: func(*testDB, *database) {}, connections: 2},
		"lost":                 {between: func(db *testDB, _ *database) { db.end(terminate, "idle") }, connections: 3},
		"idle for a long time": {between: func(_ *testDB, d *database) { d.idle.conns[0].since = time.Now().Add(-time.Hour) }, connections: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
			d := openSource(t, db.values(nil), source.Env{})
			dials := wayOf(d).CountDials(0)
			parts := sqltest.Listed(t, d)
			perConnection := dials.Load()
			if n, err := count(t, parts["public.a"]); n != 1 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
			tt.between(db, d)
			db.exec("INSERT INTO b VALUES (2)") // not in the snapshot
			if n, err := count(t, parts["public.b"]); n != 1 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
			if got := dials.Load() / perConnection; got != tt.connections {
				t.Errorf("got %d connections, want %d", got, tt.connections)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			sqltest.Eventually(t, "no session is left", func() bool { return active(t, db) == 0 })
		})
	}
}
