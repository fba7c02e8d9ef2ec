package mysql

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// driverConn is what a connection of the driver can do. The pool of database/sql would be in the way:
// a snapshot is a matter of one connection.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// session is a connection and what the server says of itself.
type session struct {
	conn    driverConn
	net     *sqlread.WatchedConn
	name    string // of a lock that it holds, by which others find it
	account string // 'user'@'host' as grants name it
	version string
	folds   bool // names of tables have no letter case
	late    bool // its snapshot was taken after those of the run
}

// introduceQuery also takes the lock; its name is the parameter.
const introduceQuery = "SELECT GET_LOCK(?, 0), CURRENT_USER(), VERSION(), @@sql_mode, @@lower_case_table_names"

// setUp sets what values and statements depend on, whatever the server or the user sets. In the
// encoding compat times of the type TIMESTAMP are in the zone of the server.
func (s *session) setUp(ctx context.Context, compat bool) error {
	s.name = "elastic-ingest:" + rand.Text()
	var mode string
	err := s.each(ctx, introduceQuery, []driver.Value{s.name}, func(row []driver.Value) {
		s.account, s.version, s.folds = accountName(text(row[1])), text(row[2]), number(row[4]) != 0
		mode = text(row[3])
	})
	if err != nil {
		return err
	}
	sets := []string{
		"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		// The first two are how long the server waits for one who does not take rows, or says nothing.
		"SET SESSION net_write_timeout = 604800, SESSION wait_timeout = 604800, SESSION sql_select_limit = 18446744073709551615, SESSION sql_big_selects = 1",
	}
	if !compat {
		sets = append(sets, "SET SESSION time_zone = '+00:00'")
	}
	if without, found := withoutMode(mode, "PAD_CHAR_TO_FULL_LENGTH"); found {
		sets = append(sets, "SET SESSION sql_mode = '"+without+"'")
	}
	for _, set := range sets {
		if err := s.exec(ctx, set); err != nil {
			return err
		}
	}
	// Time limits and statistics that only some servers have.
	optional := []string{"max_execution_time = 0", "information_schema_stats_expiry = 0"}
	if s.isMariaDB() {
		optional = []string{"max_statement_time = 0", "idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0"}
	}
	for _, set := range optional {
		if err := s.exec(ctx, "SET SESSION "+set); err != nil && code(err) != codeNoVariable {
			return err
		}
	}
	return nil
}

func (s *session) isMariaDB() bool { return strings.Contains(s.version, "MariaDB") }

// withoutMode takes one mode off a list of them.
func withoutMode(modes, mode string) (without string, found bool) {
	var kept []string
	for m := range strings.SplitSeq(modes, ",") {
		if m == mode {
			found = true
			continue
		}
		kept = append(kept, m)
	}
	return strings.Join(kept, ","), found
}

// accountName quotes what CURRENT_USER gives, as grants take it.
func accountName(account string) string {
	i := strings.LastIndexByte(account, '@')
	if i < 0 {
		return quoteText(account)
	}
	return quoteText(account[:i]) + "@" + quoteText(account[i+1:])
}

// quoteText writes a text as SQL takes it in a hint.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// begin takes the session's snapshot. The savepoint is where each table is left from, see leave.
func (s *session) begin(ctx context.Context) error {
	if err := s.exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); err != nil {
		return err
	}
	return s.exec(ctx, "SAVEPOINT elastic_ingest")
}

// leave goes back to the savepoint. The snapshot stays, and the locks go that the server keeps on what
// was read so that nobody alters it: otherwise an ALTER TABLE would wait for the end of the run, and all
// who use the table would wait behind it. See
// https://dev.mysql.com/doc/refman/8.0/en/metadata-locking.html.
func (s *session) leave(ctx context.Context) error {
	return s.exec(ctx, "ROLLBACK TO SAVEPOINT elastic_ingest")
}

func (s *session) exec(ctx context.Context, statement string) error {
	_, err := s.conn.ExecContext(ctx, statement, nil)
	return s.cause(err)
}

// query runs a statement in the binary protocol: as text a FLOAT has six digits. The rows are closed,
// and with them the statement.
func (s *session) query(ctx context.Context, query string, args []driver.Value) (*rows, error) {
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, s.cause(err)
	}
	if n := stmt.NumInput(); n != len(args) {
		_ = stmt.Close()
		return nil, &parameterError{n}
	}
	able, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		_ = stmt.Close()
		return nil, errors.New("the driver lacks what is needed of it")
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	r, err := able.QueryContext(ctx, named)
	if err != nil {
		_ = stmt.Close()
		return nil, s.cause(err)
	}
	return &rows{Rows: r, stmt: stmt}, nil
}

// parameterError says that a statement has parameters that nobody has values for.
type parameterError struct{ n int }

func (e *parameterError) Error() string { return "it has a parameter, ?" }

// prepare asks whether a statement is one that the server understands and the user may run, and runs
// nothing. It returns the number of its parameters.
func (s *session) prepare(ctx context.Context, query string) (int, error) {
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return 0, s.cause(err)
	}
	n := stmt.NumInput()
	return n, s.cause(stmt.Close())
}

// rows are the rows of a statement, which is closed with them.
type rows struct {
	driver.Rows
	stmt driver.Stmt
}

// Close closes both. All rows must have been taken, or they are read here.
func (r *rows) Close() error { return errors.Join(r.Rows.Close(), r.stmt.Close()) }

// each asks the catalogue and calls do with each row, whose values are good until do returns.
func (s *session) each(ctx context.Context, query string, args []driver.Value, do func(row []driver.Value)) error {
	r, err := s.query(ctx, query, args)
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(r.Columns()))
	for {
		switch err := r.Next(row); {
		case err == nil:
			do(row)
		case errors.Is(err, io.EOF):
			return s.cause(r.Close())
		default:
			_ = r.Close()
			return s.cause(err)
		}
	}
}

// describe asks for the names and types of the columns of a query that yields no rows.
func (s *session) describe(ctx context.Context, query string) (columns []column, err error) {
	r, err := s.conn.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, s.cause(err)
	}
	columns = columnsOf(r)
	return columns, s.cause(r.Close())
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) (columns []column) {
	typed, _ := r.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range r.Columns() {
		c := column{name: name}
		if typed != nil {
			c.typ = resultType(typed.ColumnTypeDatabaseTypeName(i))
		}
		columns = append(columns, c)
	}
	return columns
}

// cause finds out why the connection was of no more use, which the driver does not say.
func (s *session) cause(err error) error {
	if err == nil || s.net == nil || code(err) != 0 {
		return err
	}
	if stalled := s.net.Stalled(); stalled != nil {
		return stalled
	}
	return err
}

// hangUp closes the connection.
func (s *session) hangUp() { _ = s.conn.Close() } // nothing was written that could be lost

// text is a value of the catalogue that is text.
func text(v driver.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// number is a value of the catalogue that is a whole number; 0 where it is NULL, or beyond 64 bits.
func number(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case uint64:
		return int64(min(v, 1<<62))
	}
	return 0
}
