package oracle

import (
	"context"
	"database/sql/driver"
	"strconv"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// session is a connection and the transaction that it is in.
type session struct {
	sqlread.Conn
	begun bool // a transaction that only reads
}

// setUpStatements set what values, their order and their texts depend on, whatever the server or the user
// sets. Comparing and sorting must agree, as reading goes on behind a key.
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

// begin takes the session's snapshot: what it reads from here on is as of now, unless a statement says of
// when. Nothing can be written.
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

// scnQueries ask for the system change number, the database's count of what was committed. Each needs a
// right that the other does not: to execute the package, or to select from the view.
var scnQueries = []string{
	"SELECT TO_CHAR(DBMS_FLASHBACK.GET_SYSTEM_CHANGE_NUMBER) FROM DUAL",
	"SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE",
}

// scn is the number as of now; "" where the user may not know it.
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

// HangUp closes the connection. The driver says good-bye and waits for the server's, but not for long.
func (s *session) HangUp() {
	if s.Net != nil {
		defer time.AfterFunc(hangUpTimeout, func() { _ = s.Net.Close() }).Stop()
	}
	s.Conn.HangUp()
}

// end closes a session whose statement may still run. The server ends that when it next wants to send.
func (s *session) end() {
	if s.Net != nil {
		_ = s.Net.Close()
	}
	s.Conn.HangUp()
}

// describe asks for the columns of a query that yields no rows.
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
