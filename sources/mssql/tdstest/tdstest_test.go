package tdstest_test

import (
	"context"
	"database/sql"
	"testing"

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

// answer sets the response to a statement.
func answer(s *tdstest.Server, sql string, r tdstest.Result) {
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) { return r, st.SQL == sql })
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
