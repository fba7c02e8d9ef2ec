package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// DriverConn is what a driver's connection must support. The pool of database/sql does not fit, because a
// snapshot belongs to one connection.
type DriverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

var errDriver = errors.New("the driver lacks a required feature")

// Conn is one connection of a driver.
type Conn struct {
	DriverConn
	Net      *link.Watched    // below the driver's connection; nil if unknown
	Answered func(error) bool // whether an error is a response of the server
	AfterRun bool             // its snapshot was taken after those of the run
}

// NewConn wraps the connection that a driver opened, or completes the error of opening it.
func NewConn(c driver.Conn, failed error, below *link.Watched, answered func(error) bool) (Conn, error) {
	if failed != nil {
		none := Conn{Net: below, Answered: answered}
		return Conn{}, none.Cause(failed)
	}
	able, ok := c.(DriverConn)
	if !ok {
		_ = c.Close()
		return Conn{}, errDriver
	}
	return Conn{DriverConn: able, Net: below, Answered: answered}, nil
}

// Exec runs a statement without result rows.
func (c *Conn) Exec(ctx context.Context, statement string) error {
	_, err := c.ExecContext(ctx, statement, nil)
	return c.Cause(err)
}

// Stream starts a prepared statement. Its rows must be closed.
func (c *Conn) Stream(ctx context.Context, query string, args []driver.Value) (*Rows, error) {
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.Cause(err)
	}
	if n := stmt.NumInput(); n >= 0 && n != len(args) {
		_ = stmt.Close()
		return nil, &ParameterError{n}
	}
	able, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		_ = stmt.Close()
		return nil, errDriver
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	r, err := able.QueryContext(ctx, named)
	if err != nil {
		_ = stmt.Close()
		return nil, c.Cause(err)
	}
	return &Rows{Rows: r, stmt: stmt}, nil
}

// ParameterError means that a statement has parameters, for which there are no values.
type ParameterError struct{ N int }

func (e *ParameterError) Error() string { return "the query has a parameter" }

// Rows are the rows of a statement, which is closed with them.
type Rows struct {
	driver.Rows
	stmt driver.Stmt
}

// Close closes both. Some drivers read the remaining rows first.
func (r *Rows) Close() error { return errors.Join(r.Rows.Close(), r.stmt.Close()) }

// Each runs a query and calls do with each row, whose values are valid until do returns.
func (c *Conn) Each(ctx context.Context, query string, args []driver.Value, do func(row []driver.Value)) error {
	r, err := c.Stream(ctx, query, args)
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(r.Columns()))
	for {
		switch err := r.Next(row); {
		case err == nil:
			do(row)
		case errors.Is(err, io.EOF):
			return c.Cause(r.Close())
		default:
			_ = r.Close()
			return c.Cause(err)
		}
	}
}

// Cause finds out why the connection failed, which drivers do not report.
func (c *Conn) Cause(err error) error {
	if err == nil || c.Net == nil || c.Answered(err) {
		return err
	}
	if stalled := c.Net.Stalled(); stalled != nil {
		return stalled
	}
	return err
}

// HangUp closes the connection.
func (c *Conn) HangUp() { _ = c.Close() } // nothing was written, so nothing is lost

// TextOf is a text value of the catalog.
func TextOf(v driver.Value) string {
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

// NumberOf is an integer value of the catalog; 0 if it is NULL or exceeds 64 bits.
func NumberOf(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case uint64:
		return int64(min(v, 1<<62))
	}
	return 0
}

// Link is the connection itself.
func (c *Conn) Link() *Conn { return c }

// Late reports whether the snapshot was taken after those of the run.
func (c *Conn) Late() bool { return c.AfterRun }
