package tdstest_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

func config() tdstest.Config {
	return tdstest.Config{User: "reader", Password: "p@ss/w:rd% žluť", Database: "shop"}
}

// open returns a pool that ends with the test.
func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlserver", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openConfig(t *testing.T, cfg msdsn.Config) *sql.DB {
	t.Helper()
	db := sql.OpenDB(mssql.NewConnectorConfig(cfg))
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// read returns all rows of a statement.
func read(ctx context.Context, db *sql.DB, query string, args ...any) (out [][]any, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row := make([]any, len(names))
		into := make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

func TestAStatementIsAnsweredByItsText(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.Answer("SELECT id FROM t", tdstest.Result{
		Columns: []tdstest.Column{{Name: "id", Type: tdstest.Int}}, Rows: [][]any{{1}, {-2}},
	})
	got, err := read(t.Context(), open(t, s.DSN()), "  SELECT id FROM t\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]any{{int64(1)}, {int64(-2)}}, got); d != "" {
		t.Errorf("rows differ:\n%s", d)
	}
	want := []tdstest.Statement{{Session: 1, User: "reader", Reset: true, SQL: "SELECT id FROM t"}}
	if d := cmp.Diff(want, s.Statements()); d != "" {
		t.Errorf("statements differ:\n%s", d)
	}
}
