package commands_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// pgBench is a [bench] whose source is PostgreSQL.
type pgBench struct {
	*bench
	admin   string // DSN
	address string // the server's address for the connector
	db      *pgx.Conn
}

// newBench creates a database, a user without any privileges yet, and an empty destination: an Elasticsearch
// address, or "" for embedded.
func newBench(t *testing.T, elasticsearch string) *pgBench {
	t.Helper()
	b := &pgBench{bench: newBenchOf(t, elasticsearch), admin: testenv.Required(t, "TEST_POSTGRES_ADMIN_DSN")}
	b.adminExec("CREATE DATABASE " + b.database)
	b.adminExec("CREATE ROLE " + b.database + " LOGIN PASSWORD '" + b.secret + "'")
	b.db = b.connect(b.database)
	b.address = net.JoinHostPort(b.db.Config().Host, strconv.Itoa(int(b.db.Config().Port)))
	t.Cleanup(func() {
		_ = b.db.Close(context.Background())
		b.adminExec("DROP DATABASE IF EXISTS " + b.database + " WITH (FORCE)")
		b.adminExec("DROP ROLE IF EXISTS " + b.database)
	})
	b.configure("")
	return b
}

func (b *pgBench) connect(database string) *pgx.Conn {
	b.t.Helper()
	c, err := pgx.ParseConfig(b.admin)
	if err != nil {
		b.t.Fatal(err)
	}
	if database != "" {
		c.Database = database
	}
	conn, err := pgx.ConnectConfig(context.Background(), c)
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

func (b *pgBench) adminExec(sql string) {
	b.t.Helper()
	conn := b.connect("")
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		b.t.Errorf("%s: %v", strings.ReplaceAll(sql, b.secret, "…"), err)
	}
}

// exec runs SQL, which may be several statements, as the database's owner.
func (b *pgBench) exec(sql string) {
	b.t.Helper()
	if _, err := b.db.PgConn().Exec(b.t.Context(), sql).ReadAll(); err != nil {
		b.t.Fatal(err)
	}
}

// grantAll lets the connector's user read every table that exists now.
func (b *pgBench) grantAll() {
	b.exec("GRANT USAGE ON SCHEMA public TO " + b.database + "; GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + b.database)
}

// configure writes the configuration, with more keys for the connector.
func (b *pgBench) configure(more string) {
	b.t.Helper()
	b.configureSource("tables: '*'", more)
}

// configureSource is configure with more values of the source.
func (b *pgBench) configureSource(values, more string) {
	b.t.Helper()
	b.writeServer("postgresql", b.address, fmt.Sprintf("username: %s, database: %s, schema: public, %s", b.database, b.database, values), more)
}

func (b *pgBench) id(tail string) string { return b.database + "_public_" + tail }

const threeTables = `
	CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text); CREATE TABLE c (id int PRIMARY KEY, v text);
	INSERT INTO a SELECT n, 'a' || n FROM generate_series(1, 30) n; INSERT INTO b SELECT n, 'b' || n FROM generate_series(1, 30) n;
	INSERT INTO c SELECT n, 'c' || n FROM generate_series(1, 30) n;`
