package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// conn is a connection of the driver with what it leaves to the pool of database/sql: statements without
// preparing them, and an end to waiting. Who cancels has the driver ask the server to end the statement, and
// waits for the answer; when none comes in hangUpTimeout, the connection is given up.
type conn struct {
	*mssql.Conn
	below *link.Watched
}

var _ sqlread.DriverConn = conn{}

var errDriver = errors.New("the driver lacks what is needed of it")

// PrepareContext prepares nothing yet: the driver sends a statement when it is run.
func (c conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := s.(*mssql.Stmt)
	if !ok {
		return nil, errDriver
	}
	return statement{Stmt: stmt, conn: c}, nil
}

// ExecContext runs a statement.
func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, errDriver
	}
	defer c.hurry(ctx)()
	return stmt.ExecContext(ctx, args)
}

// QueryContext runs a statement that answers with rows.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := s.(driver.StmtQueryContext)
	if !ok {
		return nil, errDriver
	}
	return stmt.QueryContext(ctx, args)
}

// hurry sets an end to waiting once ctx is over, until the function is called that it returns.
func (c conn) hurry(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.below.SetDeadline(time.Now().Add(hangUpTimeout)) })
}

// statement is one of the driver whose rows can be closed in time.
type statement struct {
	*mssql.Stmt
	conn conn
}

// QueryContext runs the statement.
func (s statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	stop := s.conn.hurry(ctx)
	r, err := s.Stmt.QueryContext(ctx, args)
	if err != nil {
		stop()
		return nil, err
	}
	of, ok := r.(*mssql.Rows)
	if !ok {
		stop()
		_ = r.Close()
		return nil, errDriver
	}
	return &rows{Rows: of, stop: stop, conn: s.conn}, nil
}

// rows are those of a statement.
type rows struct {
	*mssql.Rows
	stop   func() bool // false where the context of the statement is over
	conn   conn
	closed bool
}

// Close has the server end the statement where it has not ended. It must be called before the connection is
// closed: the driver lends the memory that it reads into to another connection, and only here waits until it
// reads no more.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	usable := r.stop()
	limit := r.conn.below.SetDeadline(time.Now().Add(hangUpTimeout))
	if err := r.Rows.Close(); err != nil {
		return err
	}
	if !usable || limit != nil {
		return limit
	}
	return r.conn.below.SetDeadline(time.Time{})
}
