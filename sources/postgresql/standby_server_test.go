package postgresql

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// standbyDB is the database of one test, written on the primary and read on the standby.
type standbyDB struct {
	*testDB                 // on the primary, as its superuser
	standby *pgx.ConnConfig // as the role that reads
}

func newStandbyDB(t testing.TB) *standbyDB {
	t.Helper()
	standby, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_STANDBY_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	primary, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_STANDBY_PRIMARY_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	name := "e_" + strings.ToLower(rand.Text()[:12])
	execAs(t, primary, fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, quote.Ident(standby.User)))
	admin := primary.Copy()
	t.Cleanup(func() { execAs(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	primary.Database, standby.Database = name, name
	return &standbyDB{&testDB{t: t, config: primary, name: name}, standby}
}

// write runs SQL on the primary and waits until the standby shows it.
func (db *standbyDB) write(sql string) {
	db.t.Helper()
	sqltest.Eventually(db.t, "the standby has all of the log", db.change(sql))
}

// change runs SQL on the primary. shown reports whether the standby shows it.
func (db *standbyDB) change(sql string) (shown func() bool) {
	db.t.Helper()
	db.exec(sql)
	ctx := context.WithoutCancel(db.t.Context())
	primary := dialAs(db.t, db.config)
	defer primary.Close(ctx)
	var lsn string // of what was inserted: VACUUM ends before its log is written
	if err := primary.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&lsn); err != nil {
		db.t.Fatal(err)
	}
	watched := db.standby.Copy()
	watched.Database = "postgres"
	standby := dialAs(db.t, watched)
	db.t.Cleanup(func() { standby.Close(ctx) })
	return func() (shown bool) {
		db.t.Helper()
		err := standby.QueryRow(ctx, "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= $1::text::pg_lsn", lsn).Scan(&shown)
		if err != nil {
			db.t.Fatal(err)
		}
		return shown
	}
}

// slowly makes an action for each document: the first one runs SQL on the primary, the others wait a moment until the
// standby shows it. Reading must not stop altogether: a server that waits for its client to read does not notice that its
// query was canceled, and the standby waits for that before it replays any more of the log.
func (db *standbyDB) slowly(statements ...string) func() {
	var shown func() bool
	done := false
	return func() {
		switch {
		case shown == nil:
			for _, sql := range statements {
				shown = db.change(sql)
			}
		case !done:
			if done = shown(); !done {
				<-time.After(5 * time.Millisecond)
			}
		}
	}
}

func (db *standbyDB) values(change map[string]any) map[string]any {
	return valuesOf(db.standby, db.name, change)
}

// filled has 20,000 rows, which do not fit into the buffers on the way.
func (db *standbyDB) filled() *standbyDB {
	db.write(fmt.Sprintf(`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, %d) g;
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC`, lossRows))
	return db
}

func TestContractOnAStandby(t *testing.T) {
	db := newStandbyDB(t)
	db.write(`CREATE TABLE a (id int PRIMARY KEY, v text, at timestamptz); INSERT INTO a SELECT g, repeat('žluť ', g), now() FROM generate_series(1, 500) g;
		CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3);
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC`)
	wrong := db.values(map[string]any{"password": "wrong"})
	sourcetest.Run(t, sourcetest.Config{
		Type:   Type,
		Values: func(*testing.T) map[string]any { return db.values(nil) },
		Env:    source.Env{StallTimeout: sqltest.Patience},
		Broken: map[string]sourcetest.Broken{"password": {Values: wrong, Kind: source.ErrAuth}},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			two := newStandbyDB(t)
			two.write("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO a VALUES (1); GRANT SELECT ON a TO PUBLIC")
			return sourcetest.FailingPart{Values: two.values(nil), Scope: "public.other", Kind: source.ErrAuth}
		},
		Loss:      sqltest.LossAfter(100_000, db.values),
		NoContent: "a row is all fields",
	})
}

// TestOneSnapshotOnAStandby checks that a standby exports snapshots as well, and that changes it replays later are
// not in them.
func TestOneSnapshotOnAStandby(t *testing.T) {
	t.Parallel()
	db := newStandbyDB(t)
	db.write("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 100); INSERT INTO b SELECT generate_series(1, 100); GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC")
	log := &sqltest.Logbook{}
	parts := sqltest.Listed(t, openSource(t, db.values(nil), log.Env()))
	db.write("DELETE FROM a WHERE id > 50; INSERT INTO b VALUES (101)")
	for name, p := range parts {
		if n, err := count(t, p); n != 100 || err != nil {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
	}
	if log.String() != "" {
		t.Error(log)
	}
}

// Changes on the primary that the standby can only replay once no query reads the table. The standby waits 100 ms for
// that, then it ends the queries.
var conflicts = map[string]struct {
	sql   string
	loses bool // the snapshot, so that reading cannot continue
}{
	"rows that the snapshot sees are removed": {"DELETE FROM t WHERE id % 2 = 0; VACUUM t", true},
	"the table is locked for a change":        {"ALTER TABLE t ADD COLUMN w int", false},
	"the table is rewritten":                  {"CLUSTER t USING t_pkey", true},
	"the table is emptied":                    {"TRUNCATE t", true},
}

// TestRecoveryConflict checks that reading finishes in the same snapshot, or fails with a temporary error. In both
// cases no row comes twice, and the next run reads the table.
func TestRecoveryConflict(t *testing.T) {
	t.Parallel()
	for name, tt := range conflicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newStandbyDB(t).filled()
			log := &sqltest.Logbook{}
			d := openSource(t, db.values(map[string]any{"retry_count": 4}), log.Env())
			wayOf(d).NoPauses()
			part := sqltest.Listed(t, d)["public.t"]
			changed := interruptedPart{part, db.slowly(strings.Split(tt.sql, ";")...)} // VACUUM must be the only statement
			times, err := sqltest.ReadWith(t, changed, nil)
			if tt.loses {
				sqltest.Refuse(t, err, source.ErrTemporary, "public.t: read rows", "conflict with recovery")
				if len(times) == lossRows {
					t.Error("all rows came although the snapshot was lost")
				}
			} else if err != nil || len(times) != lossRows || !strings.Contains(log.String(), "resuming after the last row") {
				t.Errorf("%v, %d rows\n%s", err, len(times), log)
			}
			for id, n := range times {
				if n > 1 {
					t.Fatalf("%s came %d times", id, n)
				}
			}
			left := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["public.t"]
			if left.Err != nil {
				t.Errorf("the next run: %v", left.Err)
			}
		})
	}
}

// TestNothingIsDeletedAfterARecoveryConflict mirrors a table, and then the rest of it while the standby ends the
// query.
func TestNothingIsDeletedAfterARecoveryConflict(t *testing.T) {
	t.Parallel()
	db := newStandbyDB(t).filled()
	server, err := embedded.Open(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	sync := func(at func()) (engine.Result, error) {
		client, err := elastic.New(elastic.Config{URL: "http://embedded", Transport: server.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		return engine.Run(t.Context(), engine.Job{
			Connector: "standby", Owner: "postgresql/standby", Index: "standby", Compare: engine.Auto,
			Type: interrupted(at), Values: sqltest.Parse(t, &Type, db.values(nil)), Guard: engine.Guard{Deletes: lossRows, Confirmed: -1},
		}, engine.Deps{
			Settings: engine.Settings{
				Readers: 2, Writers: 2, Operations: 500, RequestBytes: 1 << 20, Budget: 8 << 20, ContentLimit: 1 << 20,
				IDsMemory: 16 << 20, IDsDir: t.TempDir(),
			},
			Client: client, Log: slog.New(slog.DiscardHandler), Observer: unseen{}, Counters: &report.Counters{},
			DeadLetter: docfile.NewDeadLetter(t.TempDir() + "/dead"), Lock: func(context.Context, string, string) (func(), bool, error) { return func() {}, false, nil },
			Cut: context.Background(), Now: time.Now,
		})
	}
	if res, err := sync(func() {}); err != nil || res.Counts.Created != lossRows {
		t.Fatalf("%v, %+v", err, res.Counts)
	}
	res, err := sync(db.slowly("DELETE FROM t WHERE id % 2 = 0", "VACUUM t"))
	sqltest.Refuse(t, err, source.ErrTemporary, "conflict with recovery")
	if res.Counts.Deleted != 0 || res.Counts.Created+res.Counts.Updated+res.Counts.Duplicates != 0 {
		t.Errorf("%+v", res.Counts)
	}
	if res, err = sync(func() {}); err != nil || res.Counts.Deleted != lossRows/2 || res.Counts.Kept != lossRows/2 {
		t.Errorf("the next run: %v, %+v", err, res.Counts)
	}
}

// interrupted is the source, with an action that runs after each document.
func interrupted(do func()) source.Type {
	typ := Type
	typ.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		s, err := Type.Open(ctx, v, env)
		return interruptedSource{s, do}, err
	}
	return typ
}

type interruptedSource struct {
	source.Source
	do func()
}

func (s interruptedSource) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for p, err := range s.Source.Parts(ctx) {
			if !yield(interruptedPart{p, s.do}, err) {
				return
			}
		}
	}
}

type interruptedPart struct {
	source.Part
	do func()
}

func (p interruptedPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for doc, err := range p.Part.Documents(ctx) {
			if !yield(doc, err) {
				return
			}
			p.do()
		}
	}
}

type unseen struct{}

func (unseen) Changed(report.Change) {}
func (unseen) Failed(report.Failure) {}
func (unseen) Read(report.PartRead)  {}

func (unseen) Phase(string, time.Duration) {}
