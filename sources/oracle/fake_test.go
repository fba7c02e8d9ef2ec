package oracle

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sijms/go-ora/v2/network"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// server simulates one session of an Oracle database, for events that no test server causes on demand: forgotten row
// versions, unknown change numbers, old versions. It returns the given responses and records what it was sent.
type server struct {
	answers []answer
	asked   []string // statements, followed by their parameters
	closed  bool
}

// answer is the response to a statement that contains a text; the first match counts.
type answer struct {
	to      string
	columns []string
	types   []string // of the columns, as the driver names them; if empty, all are text
	rows    [][]driver.Value
	err     error // instead of rows
	after   error // after the rows
	once    bool
}

// oraError is an error of the server.
func oraError(code int) error {
	return &network.OracleError{ErrCode: code, ErrMsg: fmt.Sprintf("ORA-%05d: unchanged", code)}
}

func (s *server) answer(statement string, args []driver.NamedValue) (answer, error) {
	for _, a := range args {
		statement += fmt.Sprintf("\n-- :%d is %v (%T)", a.Ordinal, a.Value, a.Value)
	}
	s.asked = append(s.asked, statement)
	for i, a := range s.answers {
		if strings.Contains(statement, a.to) {
			if a.once {
				s.answers = slices.Delete(s.answers, i, i+1)
			}
			return a, a.err
		}
	}
	return answer{}, nil
}

func (s *server) Prepare(query string) (driver.Stmt, error) { return &statement{s, query}, nil }

func (s *server) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return s.Prepare(query)
}

func (s *server) Begin() (driver.Tx, error) { return nil, errors.New("not asked for") }

func (s *server) Close() error {
	s.closed = true
	return nil
}

func (s *server) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	_, err := s.answer(query, args)
	return driver.RowsAffected(0), err
}

func (s *server) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	a, err := s.answer(query, args)
	return &result{a, 0}, err
}

type statement struct {
	server *server
	query  string
}

func (s *statement) Close() error  { return nil }
func (s *statement) NumInput() int { return -1 }

func (s *statement) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }
func (s *statement) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }

func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.server.QueryContext(ctx, s.query, args)
	if err != nil {
		return nil, err
	}
	return r, nil
}

type result struct {
	answer
	next int
}

func (r *result) Columns() []string { return r.columns }
func (r *result) Close() error      { return nil }

func (r *result) Next(row []driver.Value) error {
	switch {
	case r.next < len(r.rows):
		copy(row, r.rows[r.next])
		r.next++
		return nil
	case r.after != nil:
		return r.after
	}
	return io.EOF
}

func (r *result) ColumnTypeDatabaseTypeName(i int) string {
	if r.types == nil {
		return "NCHAR"
	}
	return r.types[i]
}

func (r *result) ColumnTypePrecisionScale(int) (precision, scale int64, ok bool) {
	return 38, 255, true
}

// catalogueOf are the responses for a schema with one table, ORDERS, whose key is ID.
func catalogueOf(columns ...[]driver.Value) []answer {
	return []answer{
		{to: "FROM all_tables", columns: make([]string, 3), rows: [][]driver.Value{{"ORDERS", "7", nil}}},
		{to: "FROM all_mviews", columns: make([]string, 1)},
		{to: "FROM all_views", columns: make([]string, 1)},
		{to: "FROM all_tab_cols", columns: make([]string, 7), rows: append([][]driver.Value{{"ID", "NUMBER", nil, "10", "0", nil, "NO"}}, columns...)},
		{to: "FROM all_constraints", columns: make([]string, 4), rows: [][]driver.Value{{"PK", "P", "ID", "Y"}}},
		{to: "TO_GEOJSON", columns: make([]string, 1), rows: [][]driver.Value{{"1"}}},
		{to: "DBMS_FLASHBACK", columns: make([]string, 1), rows: [][]driver.Value{{"1000"}}, once: true},
		{to: "DBMS_FLASHBACK", columns: make([]string, 1), rows: [][]driver.Value{{"2000"}}, once: true},
	}
}

// run is a source whose only session is with the server.
type run struct {
	*database
	server *server
	first  *session
	log    *sqltest.Logbook
}

func newRun(t *testing.T, set map[string]any, env source.Env, answers ...answer) *run {
	t.Helper()
	r := &run{server: &server{answers: answers}, log: &sqltest.Logbook{}}
	env.Log = r.log.Env().Log
	r.database = sqltest.Open(t, &Type, plain(set), env).(*database)
	r.Attempts.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	r.first = &session{Conn: sqlread.Conn{DriverConn: r.server, Answered: answered}}
	return r
}

// parts lists the parts, and begins the run.
func (r *run) parts(t *testing.T) []*part {
	t.Helper()
	c, err := r.Catalogue(t.Context(), r.first)
	if err != nil {
		t.Fatal(err)
	}
	parts, missing, err := r.Plan(c)
	if err != nil || len(missing) > 0 {
		t.Fatal(err, len(missing))
	}
	if _, err := r.Begin(t.Context(), r.first, parts[:min(1, len(parts))]); err != nil {
		t.Fatal(err)
	}
	return parts
}

// read reads the only part.
func (r *run) read(t *testing.T) sqltest.Result {
	t.Helper()
	parts := r.parts(t)
	if len(parts) != 1 {
		t.Fatalf("there are %d parts", len(parts))
	}
	return sqltest.Read(t.Context(), parts[0])
}

// reads are the statements that read rows of ORDERS, and those that begin and end transactions.
func (r *run) reads() (reads []string) {
	for _, s := range r.server.asked {
		if strings.Contains(s, `FROM "SHOP"."ORDERS"`) || s == beginStatement || s == endStatement {
			reads = append(reads, s)
		}
	}
	return reads
}

// oraText is an error of the server with its own text.
func oraText(code int, text string) error { return &network.OracleError{ErrCode: code, ErrMsg: text} }

// oldServer are answers of a server whose catalog lacks columns and views.
func oldServer() []answer {
	return []answer{
		{to: "num_rows", err: oraError(904)},
		{to: "all_mviews", err: oraError(942)},
		{to: "collation", err: oraError(904)},
		{to: "data_type_owner", err: oraError(904)},
		{to: "validated", err: oraError(904)},
		{to: "FROM all_tab_columns", columns: make([]string, 7), rows: [][]driver.Value{{"ID", "NUMBER", nil, "10", "0", nil, "NO"}}},
	}
}
