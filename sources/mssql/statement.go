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

// conn is a connection of the driver with features that the driver leaves to the pool of database/sql: unprepared
// statements, and a time limit. A cancellation makes the driver ask the server to end the statement, and
// wait for the response; if none arrives within hangUpTimeout, the connection is given up.
type conn struct {
	*mssql.Conn
	below *link.Watched
}

var _ sqlread.DriverConn = conn{}

var errDriver = errors.New("the driver lacks a required feature")

// PrepareContext prepares nothing yet: the driver sends a statement when it runs.
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

// QueryContext runs a statement that returns rows.
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

// hurry limits the waiting time once ctx has ended, until stop is called.
func (c conn) hurry(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.below.SetDeadline(time.Now().Add(hangUpTimeout)) })
}

// statement is a statement of the driver whose rows can be closed in time.
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

// rows are the rows of a statement.
type rows struct {
	*mssql.Rows
	stop   func() bool // false if the context of the statement has ended
	conn   conn
	closed bool
}

// Close makes the server end the statement if it has not ended. It must be called before the connection is
// closed: the driver reuses its read buffer for other connections, and only here waits until it
// no longer reads.
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
