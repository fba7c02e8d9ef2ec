package postgresql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContract(t *testing.T) {
	db := newDB(t)
	db.exec(`CREATE TABLE a (id int PRIMARY KEY, v text, at timestamptz); INSERT INTO a SELECT g, repeat('žluť ', g), now() FROM generate_series(1, 500) g;
		CREATE TABLE "B.x" (k text PRIMARY KEY, l int[], "l.x" jsonb); INSERT INTO "B.x" VALUES ('', NULL, NULL), ('x', '{{1,NULL}}', '{"a":[1.0]}'), (E'\n\u0001', '{}', 'null');
		CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3)`)
	sqltest.Contract(t, sourcetest.Config{Type: Type, FailingPart: func(t *testing.T) sourcetest.FailingPart {
		t.Helper()
		role, values := db.reader()
		db.exec("GRANT SELECT ON a TO " + role)
		values["tables"] = "a,other"
		return sourcetest.FailingPart{Values: values, Scope: "public.other", Kind: source.ErrAuth}
	}, HiddenPart: func(t *testing.T) sourcetest.HiddenPart {
		t.Helper()
		_, values := db.reader()
		db.exec("CREATE SCHEMA IF NOT EXISTS shut; CREATE TABLE IF NOT EXISTS shut.b (id int PRIMARY KEY)")
		values["schema"] = "shut"
		return sourcetest.HiddenPart{Values: values, Scope: "shut.b"}
	}}, db.values, sqltest.Profiles)
}

// count reads a part and returns how many documents came.
func count(t testing.TB, p source.Part) (int, error) {
	t.Helper()
	r := sqltest.Read(t.Context(), p)
	return len(r.IDs), r.Err
}

// stall waits until the sessions of this program that are in the state have been in it for the given time.
func (db *testDB) stall(state, duration string) {
	db.t.Helper()
	conn := dialAs(db.t, db.patient())
	defer func() { _ = conn.Close(context.Background()) }()
	sqltest.Eventually(db.t, "nothing happens for "+duration, func() bool {
		long := false
		err := conn.QueryRow(context.WithoutCancel(db.t.Context()), `SELECT coalesce(bool_and(clock_timestamp() - state_change > $2::text::interval), false)
			FROM pg_stat_activity WHERE application_name = 'elastic-ingest' AND datname = current_database() AND state = $1`, state, duration).Scan(&long)
		if err != nil {
			db.t.Error(err)
		}
		return long || err != nil
	})
}

func TestServerTimeLimitsDoNotMatter(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g`)
	for _, set := range []string{"statement_timeout = '50ms'", "idle_in_transaction_session_timeout = '50ms'"} {
		db.exec("ALTER ROLE " + quote.Ident(db.config.User) + " IN DATABASE " + db.name + " SET " + set)
	}
	s := openSource(t, db.values(nil), source.Env{StallTimeout: sqltest.Patience})
	part := sqltest.Listed(t, s)["public.t"]
	db.stall(waiting, "300 ms") // the transaction that holds the snapshot
	n := 0
	for _, err := range part.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			db.stall(busy, "1200 ms") // a consumer that stalls
		}
	}
	if n != 20000 {
		t.Errorf("got %d rows", n)
	}
}

func TestTablesThatChange(t *testing.T) {
	t.Parallel()
	each := func(t *testing.T, check func(t *testing.T, db *sqltest.DB)) { t.Helper(); check(t, newDB(t).shared()) }
	sqltest.TablesThatChange(t, each, map[string]sqltest.Change{
		"dropped":        {Do: []string{"DROP TABLE t"}, Fails: "does not exist"},
		"renamed":        {Do: []string{"ALTER TABLE t RENAME TO u"}, Fails: "does not exist"},
		"column added":   {Do: []string{"ALTER TABLE t ADD COLUMN w int"}, Rows: 3, Doc: `{"public_t_id":1,"public_t_v":"x"}`},
		"column dropped": {Do: []string{"ALTER TABLE t DROP COLUMN v"}, Rows: 3, Doc: `{"public_t_id":1}`},
		"column renamed": {Do: []string{"ALTER TABLE t RENAME COLUMN v TO w"}, Rows: 3, Doc: `{"public_t_id":1,"public_t_w":"x"}`},
		"rewritten":      {Do: []string{"ALTER TABLE t ALTER COLUMN id TYPE text"}, Rows: 3, Doc: `{"public_t_id":"1","public_t_v":"x"}`},
		"truncated":      {Do: []string{"TRUNCATE t", "INSERT INTO t VALUES (9, 'new')"}, Rows: 1, Doc: `{"public_t_id":9,"public_t_v":"new"}`},
		"replaced":       {Do: []string{"DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (5)"}, Rows: 1, Doc: `{"public_t_id":5}`},
		"key dropped":    {Do: []string{"ALTER TABLE t DROP CONSTRAINT t_key"}, Rows: 3, Doc: `{"public_t_id":1,"public_t_v":"x"}`},
		"vacuumed":       {Do: []string{"CLUSTER t USING t_key"}, Rows: 3, Doc: `{"public_t_id":1,"public_t_v":"x"}`},
	})
}

func TestTruncatedPartition(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
		INSERT INTO p VALUES (1), (11)`)
	part := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))["public.p"]
	db.exec("TRUNCATE p1; INSERT INTO p VALUES (2), (12)")
	got := sqltest.Read(t.Context(), part)
	slices.Sort(got.Docs)
	want := []string{`{"public_p_id":11}`, `{"public_p_id":12}`, `{"public_p_id":2}`}
	if diff := cmp.Diff(want, got.Docs); diff != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, diff)
	}
}

func TestOneSnapshotForAllTables(t *testing.T) {
	t.Parallel()
	sqltest.OneSnapshot(t, newDB(t).shared(), 6, "")
}

func TestSnapshotThatCannotBeShared(t *testing.T) {
	t.Parallel()
	for name, refuseExport := range map[string]bool{"export refused": true, "connection lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1)")
			if refuseExport {
				adminExec(t, db.name, "REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC")
			}
			log := &sqltest.Logbook{}
			s := openSource(t, db.values(nil), log.Env())
			parts := sqltest.Listed(t, s)
			db.exec("INSERT INTO a VALUES (2)")
			if !refuseExport {
				adminExec(t, "", fmt.Sprintf("SELECT pg_terminate_backend(%d, 300000)", s.control.PgConn().PID()))
			}
			if n, err := count(t, parts["public.a"]); n != 2 || err != nil {
				t.Errorf("got %d, %v; want the 2 rows of now", n, err)
			}
			if n, err := count(t, parts["public.b"]); n != 0 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
			if n := strings.Count(log.String(), "cannot share a snapshot"); n != 1 {
				t.Errorf("warned %d times, want once:\n%s", n, log)
			}
		})
	}
}

// manyRows fills a table that does not fit into the buffers between the server and the client.
func manyRows(t testing.TB) *testDB {
	t.Helper()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 50000) g")
	return db
}

// active counts the sessions of this program in the database that run a statement.
func active(t testing.TB, db *testDB) int {
	t.Helper()
	var n int
	conn := dialAs(t, db.patient())
	defer func() { _ = conn.Close(context.Background()) }()
	err := conn.QueryRow(context.WithoutCancel(t.Context()),
		"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'elastic-ingest'").Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCancelEndsTheStatement(t *testing.T) {
	t.Parallel()
	db := manyRows(t)
	for name, stop := range map[string]func(source.Part, context.Context, context.CancelFunc) error{
		"canceled": func(p source.Part, ctx context.Context, cancel context.CancelFunc) error {
			for _, err := range p.Documents(ctx) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						return fmt.Errorf("got %w, want it to be context.Canceled", err)
					}
					return nil
				}
				cancel()
			}
			return errors.New("ended without error")
		},
		"left early": func(p source.Part, ctx context.Context, _ context.CancelFunc) error {
			for _, err := range p.Documents(ctx) {
				return err
			}
			return errors.New("no document")
		},
	} {
		s := openSource(t, db.values(nil), source.Env{StallTimeout: sqltest.Patience})
		part := sqltest.Listed(t, s)["public.t"]
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		err := stop(part, ctx, cancel)
		took := time.Since(start)
		cancel()
		if err != nil || took > sqltest.Patience {
			t.Errorf("%s: after %v: %v", name, took, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		sqltest.Eventually(t, name+": no session is left", func() bool { return active(t, db) == 0 })
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY)")
	part := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))["public.t"]
	lock(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sqltest.Read(ctx, part).Err }() // ends with the context
	db.waited()
	start := time.Now()
	cancel()
	err := <-ended
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > sqltest.Patience {
		t.Errorf("after %v: %v", took, err)
	}
	sqltest.Eventually(t, "only the session of the snapshot is left", func() bool { return active(t, db) == 1 })
}

// waited returns once a session of this program waits for a lock.
func (db *testDB) waited() {
	db.t.Helper()
	conn := dialAs(db.t, db.patient())
	defer func() { _ = conn.Close(context.WithoutCancel(db.t.Context())) }()
	sqltest.Eventually(db.t, "the table is waited for", func() (waits bool) {
		err := conn.QueryRow(context.WithoutCancel(db.t.Context()), `SELECT count(*) > 0 FROM pg_stat_activity
			WHERE application_name = 'elastic-ingest' AND datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waits)
		if err != nil {
			db.t.Fatal(err)
		}
		return waits
	})
}

// lock keeps others from reading t until the test ends.
func lock(t testing.TB, db *testDB) {
	t.Helper()
	if _, err := db.session().PgConn().Exec(t.Context(), "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").ReadAll(); err != nil {
		t.Fatal(err)
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY)")
	d := openSource(t, db.values(nil), source.Env{StallTimeout: sqltest.Patience})
	part := sqltest.Listed(t, d)["public.t"]
	lock(t, db)
	conn, err := d.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	below := watched(t, conn)
	d.idle.put(conn) // for the part to take
	done := make(chan error, 1)
	go func() { done <- sqltest.Read(t.Context(), part).Err }() // ends with the time limit
	db.waited()
	sqltest.Eventually(t, "the time limit ends the reading", func() bool {
		_ = below.Conn.SetReadDeadline(time.Now()) // it is over, for the read under way
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	sqltest.Refuse(t, err, source.ErrTemporary, "public.t", "has sent nothing for 3m0s, the stall timeout")
}

// watched is the connection below the driver's.
func watched(t testing.TB, conn *pgx.Conn) *link.Watched {
	t.Helper()
	below := conn.PgConn().Conn()
	if encrypted, ok := below.(*tls.Conn); ok {
		below = encrypted.NetConn()
	}
	w, ok := below.(*link.Watched)
	if !ok {
		t.Fatalf("the connection is a %T", below)
	}
	return w
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	db := manyRows(t)
	part := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))["public.t"]
	n := 0
	var last error
	for _, err := range part.Documents(t.Context()) {
		if err != nil {
			last = err
			break
		}
		if n++; n == 1 {
			adminExec(t, "", "SELECT pg_terminate_backend(pid, 300000) FROM pg_stat_activity WHERE datname = '"+db.name+"' AND state = 'active'")
		}
	}
	sqltest.Refuse(t, last, source.ErrTemporary, "public.t")
	if n == 50000 {
		t.Error("all rows came although the connection was lost")
	}
}

func TestEveryRunReadsEveryRow(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 1000) g")
	first, second := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{}), sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})
	if diff := cmp.Diff(first["public.t"].Docs, second["public.t"].Docs); diff != "" || len(first["public.t"].Docs) != 1000 {
		t.Error(diff)
	}
}

// TestLongRows reads values that are larger than any buffer.
func TestLongRows(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE t (id int PRIMARY KEY, v text, b bytea); INSERT INTO t SELECT g, repeat(g::text, 3000000), decode(repeat('ff', 1000000), 'hex') FROM generate_series(1, 3) g")
	part := sqltest.Listed(t, openSource(t, db.values(nil), source.Env{}))["public.t"]
	n := 0
	for doc, err := range part.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		v, _ := doc.Lookup("public_t_v")
		b, _ := doc.Lookup("public_t_b")
		if v.Text() != strings.Repeat(fmt.Sprint(n), 3000000) || b.Kind() != document.KindBytes || len(b.Text()) != 1000000 {
			t.Errorf("row %d differs from the written one", n)
		}
	}
	if n != 3 {
		t.Errorf("got %d rows", n)
	}
}
