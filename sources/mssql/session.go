package mssql

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// session is a connection and its view of the database.
type session struct {
	sqlread.Conn
	user      string // of the database, as named in GRANT statements
	folds     bool   // names are case-insensitive
	snapshots bool   // the database allows snapshot isolation
	versions  bool   // without it, each statement still reads one instant
	inside    bool   // it is in the transaction that holds its snapshot
	taken     bool   // the snapshot was taken, by reading
	plain     bool   // it was opened without a snapshot
}

const (
	// setUpStatement sets everything that values and statements depend on, whatever the server or the user sets. The
	// lower priority lets other sessions win a deadlock: this program retries.
	setUpStatement = `SET LOCK_TIMEOUT 60000;
SET DATEFORMAT ymd;
SET ARITHABORT ON;
SET QUOTED_IDENTIFIER ON;
SET NOCOUNT ON;
SET TEXTSIZE 2147483647;
SET XACT_ABORT OFF;
SET IMPLICIT_TRANSACTIONS OFF;
SET DEADLOCK_PRIORITY LOW;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED`

	// introduceQuery: all users can see the row of their current database. It is selected by name: in Azure SQL
	// Database, DB_ID() may differ from the number in sys.databases, see
	// https://learn.microsoft.com/sql/t-sql/functions/db-id-transact-sql.
	introduceQuery = `
SELECT USER_NAME(), CASE WHEN N'a' = N'A' COLLATE CATALOG_DEFAULT THEN 1 ELSE 0 END,
       CONVERT(int, d.snapshot_isolation_state), CONVERT(int, d.is_read_committed_snapshot_on)
FROM sys.databases d
WHERE d.name = DB_NAME()`

	pingQuery         = "SELECT 1"
	snapshotStatement = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT"
	asideStatement    = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
	beginStatement    = "BEGIN TRANSACTION"
	endStatement      = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
	// openQuery returns whether a transaction is open: some errors end it.
	openQuery = "SELECT @@TRANCOUNT"
)

// pinStatement reads at most one row of a table.
func pinStatement(from string) string { return "SELECT TOP (1) 1 FROM " + from }

// SetUp sets up the session and reads the properties of its database.
func (d *database) SetUp(ctx context.Context, s *session) error {
	if err := s.Exec(ctx, setUpStatement); err != nil {
		return err
	}
	known := false
	err := s.Each(ctx, introduceQuery, nil, func(row []driver.Value) {
		known = true
		s.user, s.folds = sqlread.TextOf(row[0]), sqlread.NumberOf(row[1]) != 0
		s.snapshots, s.versions = sqlread.NumberOf(row[2]) == 1, sqlread.NumberOf(row[3]) != 0
	})
	if err == nil && !known {
		err = errNoDatabaseRow
	}
	return err
}

// errNoDatabaseRow: without the row it is unknown whether there are snapshots, and reading without them if there are
// would silently change the result.
var errNoDatabaseRow = errors.New("sys.databases does not show the database that this session is in")

// begin begins the transaction of a snapshot, which [session.pin] takes.
func (s *session) begin(ctx context.Context) error {
	if err := s.Exec(ctx, snapshotStatement); err != nil {
		return err
	}
	if err := s.Exec(ctx, beginStatement); err != nil {
		return err
	}
	s.inside = true
	return nil
}

// end ends the transaction.
func (s *session) end(ctx context.Context) error {
	s.inside = false
	if err := s.Exec(ctx, endStatement); err != nil {
		return err
	}
	return s.Exec(ctx, asideStatement)
}

// pin takes the session's snapshot by reading: a transaction sees the state at its first statement
// that reads data, not at its beginning. See
// https://learn.microsoft.com/sql/relational-databases/sql-server-transaction-locking-and-row-versioning-guide.
// Any table will do; if one is locked or gone, the next one is read.
func (s *session) pin(ctx context.Context, tables []string) (err error) {
	for _, from := range tables {
		err = s.Exec(ctx, pinStatement(from))
		if s.taken = err == nil; s.taken || !answered(err) {
			return err
		}
	}
	return err
}

// aside queries the catalog outside the snapshot: the server keeps no older versions of it,
// and refuses to read it inside if anything was altered since.
func (s *session) aside(ctx context.Context, ask func() error) error {
	if !s.inside {
		return ask()
	}
	if err := s.Exec(ctx, asideStatement); err != nil {
		return err
	}
	if err := ask(); err != nil {
		if keepsConnection(err) {
			_ = s.Exec(ctx, snapshotStatement) // the first error matters
		}
		return err
	}
	return s.Exec(ctx, snapshotStatement)
}

// alive reports whether the session still has its snapshot, or never had one, after an error of the server.
func (s *session) alive(ctx context.Context) bool {
	if s.inside != s.taken {
		return false
	}
	if !s.inside {
		return true
	}
	open := int64(0)
	err := s.Each(ctx, openQuery, nil, func(row []driver.Value) { open = sqlread.NumberOf(row[0]) })
	return err == nil && open > 0
}
