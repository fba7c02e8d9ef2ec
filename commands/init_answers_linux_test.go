package commands

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// twoTables creates a database with two tables, and a schema without any, and returns its address with a login.
func twoTables(t *testing.T) *url.URL {
	t.Helper()
	admin := testenv.Required(t, "TEST_POSTGRES_ADMIN_DSN")
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(dsn, sql string) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context()) // also at the end of the test
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			t.Error(err)
		}
	}
	name := "init_" + strings.ToLower(strings.Trim(filepath.Base(filepath.Dir(t.TempDir())), "_"))
	exec(admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	exec(u.String(), "CREATE SCHEMA empty; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
	return u
}

// postgresQuestions are those of a database, up to SSL.
func postgresQuestions(u *url.URL, schema string) []question {
	password, _ := u.User.Password()
	return []question{
		{text: "[postgresql]:"},
		{text: "[search-postgresql]:"},
		{text: "Host:", answer: u.Hostname()},
		{text: "Port:", answer: u.Port()},
		{text: "Username:", answer: u.User.Username()},
		{text: "variable instead):", answer: password},
		{text: "Database:", answer: strings.Trim(u.Path, "/")},
		{text: "Schema:", answer: schema},
		{text: "verification [no]:"},
	}
}

// TestRealInitListsTheSource: a schema that does not exist, and one without tables, are failures like a server that
// does not answer.
func TestRealInitListsTheSource(t *testing.T) {
	t.Parallel()
	u := twoTables(t)
	p := initIn(t, t.TempDir(), 100, "--service-type", "postgresql")
	again := func(before, schema string) []question {
		return []question{
			{text: "q: quit [c]:"},
			{text: "Host ["},
			{text: "Port ["},
			{text: "Username ["},
			{text: "empty keeps it):"},
			{text: "Database ["},
			{text: "Schema [" + before + "]:", answer: schema},
			{text: "verification [no]:"},
		}
	}
	answerAll(t, p, postgresQuestions(u, "nope"))
	p.await(`schema "nope" does not exist`)
	answerAll(t, p, again("nope", "empty"))
	p.await("error: the source has no tables\n")
	p.await("hint: ")
	answerAll(t, p, again("empty", "public"))
	p.await("The source answers: 2 tables.\n")
	answerAll(t, p, []question{{text: "data]:"}})
	if code, all := p.end(); code != ExitOK {
		t.Errorf("exit %d:\n%s", code, all)
	}
}
