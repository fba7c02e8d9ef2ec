package postgresql

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// pooled is the configuration that reads the database of a test through the pooler.
func pooled(t testing.TB, db *testDB, change map[string]any) map[string]any {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_POOLER_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	v := db.values(map[string]any{"host": config.Host, "port": int(config.Port), "username": config.User, "password": config.Password})
	maps.Copy(v, change)
	return v
}

// throughPooler fails the test unless the connections go through a pooler that pools transactions: there, different
// server sessions may serve two transactions of one connection.
func throughPooler(t *testing.T, values map[string]any) {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_POOLER_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	config.Database = values["database"].(string)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	ctx, pid := t.Context(), [3]int{}
	a, b := dialAs(t, config), dialAs(t, config)
	defer a.Close(ctx)
	defer b.Close(ctx)
	ask := func(conn *pgx.Conn, n int, before string) {
		t.Helper()
		if _, err := conn.Exec(ctx, before); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid[n]); err != nil {
			t.Fatal(err)
		}
	}
	ask(a, 0, "SELECT")
	ask(b, 1, "BEGIN") // takes the session that a has released
	ask(a, 2, "SELECT")
	if pid[0] != pid[1] || pid[0] == pid[2] {
		t.Fatalf("the sessions were %v: the pooler does not pool transactions", pid)
	}
}

func TestContractThroughAPooler(t *testing.T) {
	db := newDB(t)
	values := pooled(t, db, nil)
	throughPooler(t, values)
	db.exec(`CREATE TABLE a (id int PRIMARY KEY, v text, at timestamptz); INSERT INTO a SELECT g, repeat('žluť ', g), now() FROM generate_series(1, 500) g;
		CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1), (2), (3)`)
	broken := func(key string, value any, kind error) sourcetest.Broken {
		return sourcetest.Broken{Values: pooled(t, db, map[string]any{key: value}), Kind: kind}
	}
	sourcetest.Run(t, sourcetest.Config{
		Type:   Type,
		Values: func(*testing.T) map[string]any { return pooled(t, db, nil) },
		Env:    source.Env{StallTimeout: sqltest.Patience},
		Broken: map[string]sourcetest.Broken{
			"username": broken("username", "nobody", source.ErrAuth),
			"password": broken("password", "wrong", source.ErrAuth),
			"database": broken("database", "nosuch", source.ErrConfig),
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			two := newDB(t)
			two.exec("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE other (id int PRIMARY KEY)")
			adminExec(t, two.name, "ALTER TABLE other OWNER TO postgres")
			return sourcetest.FailingPart{Values: pooled(t, two, nil), Scope: "public.other", Kind: source.ErrAuth}
		},
		Loss:      sqltest.LossAfter(100_000, func(change map[string]any) map[string]any { return pooled(t, db, change) }),
		NoContent: "a row is all fields",
	})
}

// TestAPoolerRefusesAWrongPasswordOnce checks that no retry locks the account: the pooler has one code for everything
// that it refuses.
func TestAPoolerRefusesAWrongPasswordOnce(t *testing.T) {
	t.Parallel()
	d := openSource(t, pooled(t, newDB(t), map[string]any{"password": "wrong", "retry_count": 5}), source.Env{})
	pauses := wayOf(d).NoPauses()
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrAuth, "check username and password")
	if n := pauses.Load(); n != 0 {
		t.Errorf("it was retried %d times", n)
	}
}

// TestOneSnapshotThroughAPooler reads the parts on their own sessions while others use the pooler. All of them see
// the instant at which the run began.
func TestOneSnapshotThroughAPooler(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g, 'old' FROM generate_series(1, 3000) g;
		CREATE TABLE b (LIKE a INCLUDING ALL); INSERT INTO b SELECT * FROM a`)
	log := &sqltest.Logbook{}
	s := openSource(t, pooled(t, db, nil), log.Env())
	parts := sqltest.Listed(t, s)
	db.exec("UPDATE a SET v = 'new'; DELETE FROM b WHERE id > 10; INSERT INTO b VALUES (9999, 'new')")
	for name, p := range parts {
		r := sqltest.Read(t.Context(), p)
		if r.Err != nil || len(r.Docs) != 3000 || strings.Contains(strings.Join(r.Docs, ""), "new") {
			t.Errorf("%s: %v, %d rows", name, r.Err, len(r.Docs))
		}
	}
	if log.String() != "" {
		t.Error(log)
	}
}

// TestNothingStaysInAPooledSession checks that the next user of the session does not find a reader's settings.
func TestNothingStaysInAPooledSession(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(fmt.Sprintf("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); ALTER DATABASE %s SET DateStyle = 'German'; ALTER DATABASE %[1]s SET extra_float_digits = 0", db.name))
	values := pooled(t, db, nil)
	for scope, r := range sqltest.ReadSource(t, &Type, values, source.Env{}) {
		if r.Err != nil {
			t.Fatalf("%s: %v", scope, r.Err)
		}
	}
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_POOLER_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	config.Database = db.name
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn := dialAs(t, config)
	defer conn.Close(t.Context())
	var style, digits string
	var statements int
	err = conn.QueryRow(t.Context(), "SELECT current_setting('IntervalStyle'), current_setting('extra_float_digits'), (SELECT count(*) FROM pg_prepared_statements)").
		Scan(&style, &digits, &statements)
	if err != nil || style != "postgres" || digits != "0" || statements != 0 {
		t.Errorf("%v, %q, %q, %d prepared statements", err, style, digits, statements)
	}
}

// TestConnectionLostThroughAPooler checks the loss of a server connection: the pooler then ends the client's
// connection.
func TestConnectionLostThroughAPooler(t *testing.T) {
	t.Parallel()
	db := lossDB(t)
	d := openSource(t, pooled(t, db, map[string]any{"tables": "t", "retry_count": 3}), source.Env{})
	wayOf(d).NoPauses()
	part := sqltest.Listed(t, d)["public.t"]
	times, err := sqltest.ReadWith(t, part, map[int]func(){100: func() { db.end(terminate, busy) }})
	if err != nil {
		t.Fatal(err)
	}
	sqltest.Once(t, times, lossRows)
}
