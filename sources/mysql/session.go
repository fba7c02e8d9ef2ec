package mysql

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// session is a connection and what the server reports about it.
type session struct {
	sqlread.Conn
	name    string // of a lock that it holds, by which other sessions find it
	account string // 'user'@'host' as named in GRANT statements
	version string
	folds   bool // table names are case-insensitive
}

// introduceQuery also takes the lock; its name is the parameter.
const introduceQuery = "SELECT GET_LOCK(?, 0), CURRENT_USER(), VERSION(), @@sql_mode, @@lower_case_table_names"

// SetUp sets everything that values and statements depend on, whatever the server or the user sets. In the
// encoding compat, TIMESTAMP values are in the time zone of the server.
func (d *database) SetUp(ctx context.Context, s *session) error {
	s.name = "elastic-ingest:" + rand.Text()
	var mode string
	err := s.Each(ctx, introduceQuery, []driver.Value{s.name}, func(row []driver.Value) {
		s.account, s.version, s.folds = accountName(sqlread.TextOf(row[1])), sqlread.TextOf(row[2]), sqlread.NumberOf(row[4]) != 0
		mode = sqlread.TextOf(row[3])
	})
	if err != nil {
		return err
	}
	sets := []string{
		"SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		// The first two are how long the server waits for a client that reads no rows, or sends nothing.
		"SET SESSION net_write_timeout = 604800, SESSION wait_timeout = 604800, SESSION sql_select_limit = 18446744073709551615, SESSION sql_big_selects = 1",
	}
	if !d.Compat {
		sets = append(sets, "SET SESSION time_zone = '+00:00'")
	}
	if without, found := withoutMode(mode, "PAD_CHAR_TO_FULL_LENGTH"); found {
		sets = append(sets, "SET SESSION sql_mode = '"+without+"'")
	}
	for _, set := range sets {
		if err := s.Exec(ctx, set); err != nil {
			return err
		}
	}
	// Time limits and statistics that not all servers have.
	optional := []string{"max_execution_time = 0", "information_schema_stats_expiry = 0"}
	if s.isMariaDB() {
		optional = []string{"max_statement_time = 0", "idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0"}
	}
	for _, set := range optional {
		if err := s.Exec(ctx, "SET SESSION "+set); err != nil && code(err) != codeNoVariable {
			return err
		}
	}
	return nil
}

func (s *session) isMariaDB() bool { return strings.Contains(s.version, "MariaDB") }

// withoutMode removes a mode from a list of modes.
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

// accountName quotes the value of CURRENT_USER for GRANT statements.
func accountName(account string) string {
	i := strings.LastIndexByte(account, '@')
	if i < 0 {
		return quoteText(account)
	}
	return quoteText(account[:i]) + "@" + quoteText(account[i+1:])
}

// quoteText writes a text in SQL, for a hint.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// begin takes the session's snapshot. leave rolls back to the savepoint.
func (s *session) begin(ctx context.Context) error {
	if err := s.Exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); err != nil {
		return err
	}
	return s.Exec(ctx, "SAVEPOINT elastic_ingest")
}

// leave rolls back to the savepoint. The snapshot stays, but the server releases the locks that protect the tables
// from being altered: otherwise an ALTER TABLE would wait for the end of the run, and all
// users of the table would wait for the ALTER TABLE. See
// https://dev.mysql.com/doc/refman/8.0/en/metadata-locking.html.
func (s *session) leave(ctx context.Context) error {
	return s.Exec(ctx, "ROLLBACK TO SAVEPOINT elastic_ingest")
}

// prepare checks whether the server understands a statement and the user may run it, without running
// it. It returns the number of its parameters.
func (s *session) prepare(ctx context.Context, query string) (int, error) {
	stmt, err := s.PrepareContext(ctx, query)
	if err != nil {
		return 0, s.Cause(err)
	}
	n := stmt.NumInput()
	return n, s.Cause(stmt.Close())
}

// describe reads the names and types of the columns of a query that returns no rows.
func (s *session) describe(ctx context.Context, query string) (columns []column, err error) {
	r, err := s.QueryContext(ctx, query, nil)
	if err != nil {
		return nil, s.Cause(err)
	}
	columns = columnsOf(r)
	return columns, s.Cause(r.Close())
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) []column {
	return sqlread.ColumnsOf(r, func(_ int, name string) columnType { return resultType(name) })
}
