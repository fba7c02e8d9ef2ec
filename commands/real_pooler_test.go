package commands_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// readAs makes the connector read its database as another user, and from another address.
func (b *pgBench) readAs(dsn string) {
	b.t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(b.dir, "config.yml")
	raw, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	admin, err := pgx.ParseConfig(b.admin)
	if err != nil {
		b.t.Fatal(err)
	}
	address := func(c *pgx.ConnConfig, user string) string {
		return fmt.Sprintf("host: %q, port: %d, username: %s,", c.Host, c.Port, user)
	}
	text := strings.Replace(string(raw), address(admin, b.database), address(config, config.User), 1)
	if text == string(raw) {
		b.t.Fatalf("the configuration has no %s", address(admin, b.database))
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.secret = config.Password
	b.exec("GRANT USAGE ON SCHEMA public TO " + config.User + "; GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + config.User)
}

// TestSyncThroughAPooler mirrors 40 tables with several readers, which share fewer server sessions than they
// have transactions.
func TestSyncThroughAPooler(t *testing.T) {
	t.Parallel()
	pooler := testenv.Required(t, "TEST_POSTGRES_POOLER_DSN")
	destinations(t, func(t *testing.T, elasticsearch string) {
		b := newBench(t, elasticsearch)
		b.exec(`DO $$ BEGIN FOR n IN 1..40 LOOP
			EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text, at timestamptz DEFAULT now())', n);
			EXECUTE format('INSERT INTO t%s SELECT g, repeat(''x'', g) FROM generate_series(1, 50) g', n);
		END LOOP; END $$`)
		b.readAs(pooler)
		if res := b.must(0, "sync"); res.Created != 2000 {
			t.Fatalf("%+v", res)
		}
		if res := b.must(0, "sync"); res != (result{Kept: 2000}) {
			t.Fatalf("second sync: %+v", res)
		}
		b.exec("DELETE FROM t7 WHERE id <= 5; UPDATE t8 SET v = 'new' WHERE id = 1; INSERT INTO t9 VALUES (51, 'new')")
		if res := b.must(0, "sync"); res != (result{Created: 1, Updated: 1, Deleted: 5, Kept: 1994}) {
			t.Fatalf("third sync: %+v", res)
		}
	})
}
