package oracle

import (
	"context"
	"database/sql/driver"
	"strconv"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// session is a connection and its transaction.
type session struct {
	sqlread.Conn
	begun bool // a read-only transaction
}

// setUpStatements set everything that values, their order and their text depend on, whatever the server or the user
// sets. Comparing and sorting must agree, because reading resumes after a key.
var setUpStatements = []string{
	"ALTER SESSION SET TIME_ZONE = '+00:00'",
	"ALTER SESSION SET NLS_COMP = BINARY NLS_SORT = BINARY",
	"ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,'",
	`ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS'`,
	`ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.FF'`,
	`ALTER SESSION SET NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.FFTZH:TZM'`,
}

// SetUp implements [sqlread.Dialect].
func (d *database) SetUp(ctx context.Context, s *session) error {
	for _, set := range setUpStatements {
		if err := s.Exec(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

const (
	beginStatement = "SET TRANSACTION READ ONLY"
	endStatement   = "ROLLBACK"
)

// begin takes the session's snapshot: from here on it reads the current state, unless a statement names another.
// Nothing can be written.
func (s *session) begin(ctx context.Context) error {
	if err := s.leave(ctx); err != nil {
		return err
	}
	if err := s.Exec(ctx, beginStatement); err != nil {
		return err
	}
	s.begun = true
	return nil
}

// leave ends the transaction, so that each statement reads as of its own beginning.
func (s *session) leave(ctx context.Context) error {
	if !s.begun {
		return nil
	}
	s.begun = false
	return s.Exec(ctx, endStatement)
}

// scnQueries read the system change number, the database's count of commits. Each needs a
// privilege that the other does not: to execute the package, or to select from the view.
var scnQueries = []string{
	"SELECT TO_CHAR(DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER) FROM DUAL",
	"SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE",
}

// scn is the current number; "" if the user may not read it.
func (s *session) scn(ctx context.Context) (scn string, err error) {
	for _, query := range scnQueries {
		err := s.Each(ctx, query, nil, func(row []driver.Value) { scn = sqlread.TextOf(row[0]) })
		switch {
		case err != nil && !answered(err):
			return "", err
		case err != nil:
			continue
		}
		if n, wrong := strconv.ParseUint(scn, 10, 64); wrong == nil && n > 0 {
			return scn, nil
		}
	}
	return "", nil
}

// HangUp closes the connection. The driver logs off and waits for the server's reply, but not for long.
func (s *session) HangUp() {
	if s.Net != nil {
		defer time.AfterFunc(hangUpTimeout, func() { _ = s.Net.Close() }).Stop()
	}
	s.Conn.HangUp()
}

// end closes a session whose statement may still be running. The server ends it when it next tries to send.
func (s *session) end() {
	if s.Net != nil {
		_ = s.Net.Close()
	}
	s.Conn.HangUp()
}

// describe reads the columns of a query that returns no rows.
func (s *session) describe(ctx context.Context, query string) (columns []column, err error) {
	r, err := s.Stream(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	columns = columnsOf(r.Rows)
	return columns, s.Cause(r.Close())
}

// columnsOf are the columns of a result.
func columnsOf(r driver.Rows) []column {
	scaled, _ := r.(driver.RowsColumnTypePrecisionScale)
	return sqlread.ColumnsOf(r, func(i int, name string) columnType {
		if scaled == nil {
			return columnType{}
		}
		precision, scale, _ := scaled.ColumnTypePrecisionScale(i)
		return resultType(name, precision, scale)
	})
}
