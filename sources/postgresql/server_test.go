package postgresql

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// environment returns a variable that names a service, or skips the test; on the pipeline, where all
// services must be there, the test fails instead.
func environment(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set", name)
		}
		t.Skipf("%s is not set", name)
	}
	return v
}

// testDB is a database that one test has for itself.
type testDB struct {
	t      testing.TB
	config *pgx.ConnConfig // of the role that owns it
	name   string
}

// newDB creates a database, owned by the role of TEST_POSTGRES_DSN, and drops it when the test ends.
func newDB(t testing.TB) *testDB {
	t.Helper()
	config, err := pgx.ParseConfig(environment(t, "TEST_POSTGRES_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	name := "e_" + strings.ToLower(rand.Text()[:12])
	adminExec(t, "", fmt.Sprintf("CREATE DATABASE %s OWNER %s", name, quoteIdent(config.User)))
	t.Cleanup(func() { adminExec(t, "", "DROP DATABASE "+name+" WITH (FORCE)") })
	config.Database = name
	return &testDB{t: t, config: config, name: name}
}

// adminExec runs SQL as a superuser.
func adminExec(t testing.TB, database, sql string) {
	t.Helper()
	config, err := pgx.ParseConfig(environment(t, "TEST_POSTGRES_ADMIN_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	if database != "" {
		config.Database = database
	}
	execAs(t, config, sql)
}

func execAs(t testing.TB, config *pgx.ConnConfig, sql string) {
	t.Helper()
	conn := dialAs(t, config)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.PgConn().Exec(context.WithoutCancel(t.Context()), sql).ReadAll(); err != nil {
		t.Fatalf("%v in: %s", err, sql)
	}
}

func dialAs(t testing.TB, config *pgx.ConnConfig) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(context.WithoutCancel(t.Context()), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// exec runs SQL as the owner of the database.
func (db *testDB) exec(sql string) { db.t.Helper(); execAs(db.t, db.config, sql) }

// session is a connection of the owner that stays open to the end of the test.
func (db *testDB) session() *pgx.Conn {
	db.t.Helper()
	conn := dialAs(db.t, db.config)
	db.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// reader creates a role that may connect and nothing else, and returns the configuration to read as
// that role.
func (db *testDB) reader() (role string, values map[string]any) {
	db.t.Helper()
	role = "e_" + strings.ToLower(rand.Text()[:12])
	adminExec(db.t, "", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'p@ss/w:rd%%'", role))
	db.t.Cleanup(func() {
		adminExec(db.t, db.name, "DROP OWNED BY "+role)
		adminExec(db.t, "", "DROP ROLE "+role)
	})
	return role, db.values(map[string]any{"username": role, "password": "p@ss/w:rd%"})
}

// values is the configuration that reads the database as its owner, with some keys changed.
func (db *testDB) values(change map[string]any) map[string]any {
	v := map[string]any{
		"host": db.config.Host, "port": int(db.config.Port), "database": db.name, "schema": "public",
		"username": db.config.User, "password": db.config.Password, "retry_count": 1,
	}
	maps.Copy(v, change)
	return v
}

func parse(t testing.TB, raw map[string]any) field.Values {
	t.Helper()
	v, err := field.Parse(Type.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// openSource opens the source and closes it when the test ends.
func openSource(t testing.TB, raw map[string]any, env source.Env) *database {
	t.Helper()
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Type.Open(t.Context(), parse(t, raw), env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*database)
}

// result is what was read of one part.
type result struct {
	docs []string // the encoded documents without id and metadata, in the order of their ids
	ids  []string
	err  error
}

// readAll reads all parts, one after the other, and returns what came of them by scope.
func readAll(t testing.TB, raw map[string]any, env source.Env) map[string]result {
	t.Helper()
	return readParts(t, openSource(t, raw, env))
}

func readParts(t testing.TB, s source.Source) map[string]result {
	t.Helper()
	all := map[string]result{}
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[p.Scope()]; twice {
			t.Errorf("the scope %q comes twice", p.Scope())
		}
		all[p.Scope()] = readPart(t.Context(), p)
	}
	return all
}

func readPart(ctx context.Context, p source.Part) (r result) {
	for doc, err := range p.Documents(ctx) {
		if err != nil {
			r.err = err
			return r
		}
		r.ids = append(r.ids, strings.Clone(doc.ID))
		r.docs = append(r.docs, body(&doc))
	}
	return r
}

// body encodes the fields that come from columns, as a JSON object.
func body(doc *document.Document) string {
	out, end := document.AppendSource(nil, &document.Document{ID: "x", Fields: doc.Fields[fixed:]}, document.Trailer{})
	return "{" + strings.TrimPrefix(strings.TrimPrefix(string(out[:end]), `{"id":"x"`), ",") + "}"
}

// logbook collects what is logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) env() source.Env {
	return source.Env{Log: slog.New(slog.NewTextHandler(l, nil))}
}

// eventually polls a condition of the server until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in 10 s: %s", what)
		}
	}
}
