package guard

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	ora "github.com/sijms/go-ora/v2"
)

var errClosed = errors.New("the connection is closed")

// conn is a guarded connection.
type conn struct {
	oracle *ora.Connection
	line   *line
	limit  time.Duration // of a call
}

var _ interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
} = (*conn)(nil)

// nothing is what a call returns besides its error.
type nothing struct{}

// Close logs off if the server may still be listening, and closes the socket in any case.
func (c *conn) Close() error {
	if c.line.reason() != nil {
		return nil
	}
	_, err := call(context.Background(), c.line, "log off", c.limit, func(context.Context) (nothing, error) {
		return nothing{}, c.oracle.Close()
	})
	c.line.cut(errClosed)
	return err
}

// Begin is not supported: the driver would end the transaction in another way than the statements do.
func (*conn) Begin() (driver.Tx, error) { return nil, errNotHere }

// Prepare is [conn.PrepareContext] without a context.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext creates a statement. The driver sends nothing to the server for that.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return call(ctx, c.line, "prepare a statement", c.limit, func(context.Context) (driver.Stmt, error) {
		return &stmt{ora.NewStmt(query, c.oracle), c}, nil
	})
}

// ExecContext runs a statement.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return call(ctx, c.line, "run a statement", c.limit, func(ctx context.Context) (driver.Result, error) {
		return c.oracle.ExecContext(ctx, query, args)
	})
}

// QueryContext starts a statement, which ends with its rows. These end with the context.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx, func(ctx context.Context) (driver.Rows, error) {
		return c.oracle.QueryContext(ctx, query, args)
	})
}

func (c *conn) query(ctx context.Context, begin func(context.Context) (driver.Rows, error)) (driver.Rows, error) {
	data, err := call(ctx, c.line, "start a query", c.limit, func(ctx context.Context) (*ora.DataSet, error) {
		r, err := begin(ctx)
		if err != nil {
			return nil, err
		}
		data, ok := r.(*ora.DataSet)
		if !ok {
			return nil, errUnknownRows
		}
		return data, nil
	})
	if err != nil {
		return nil, err
	}
	return &rows{data, c, context.AfterFunc(ctx, func() { c.line.cut(ctx.Err()) })}, nil
}

// stmt is a guarded statement.
type stmt struct {
	oracle *ora.Stmt
	conn   *conn
}

var _ interface {
	driver.Stmt
	driver.StmtQueryContext
} = (*stmt)(nil)

// NumInput is -1: the driver does not count parameters.
func (s *stmt) NumInput() int { return s.oracle.NumInput() }

// QueryContext starts the statement. Its rows end with the context.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.query(ctx, func(ctx context.Context) (driver.Rows, error) {
		return s.oracle.QueryContext(ctx, args)
	})
}

// Close makes the server forget the statement.
func (s *stmt) Close() error {
	_, err := call(context.Background(), s.conn.line, "close a statement", s.conn.limit, func(context.Context) (nothing, error) {
		return nothing{}, s.oracle.Close()
	})
	return err
}

// Exec is not supported.
func (*stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNotHere }

// Query is not supported.
func (*stmt) Query([]driver.Value) (driver.Rows, error) { return nil, errNotHere }

// rows are guarded rows.
type rows struct {
	data *ora.DataSet
	conn *conn
	done func() bool // the context no longer ends them
}

var _ interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypePrecisionScale
} = (*rows)(nil)

// Next reads a row, or returns [io.EOF] if the server has no more.
func (r *rows) Next(dest []driver.Value) error {
	ended, err := call(context.Background(), r.conn.line, "fetch rows", r.conn.limit, func(context.Context) (bool, error) {
		err := r.data.Next(dest)
		if !errors.Is(err, io.EOF) {
			return false, err
		}
		left, err := rowsLeft(r.data)
		if left {
			err = fmt.Errorf("the driver ended the rows before the server did: %w", io.ErrUnexpectedEOF)
		}
		return true, err
	})
	if err == nil && ended {
		return io.EOF
	}
	return err
}

// Close closes the rows, and their statement if nothing else does.
func (r *rows) Close() error {
	r.done()
	_, err := call(context.Background(), r.conn.line, "close rows", r.conn.limit, func(context.Context) (nothing, error) {
		return nothing{}, r.data.Close()
	})
	return err
}

// Columns are the names of the columns; none if the connection broke, which the next row reports.
func (r *rows) Columns() []string {
	names, _ := call(context.Background(), r.conn.line, "name the columns", 0, func(context.Context) ([]string, error) {
		return r.data.Columns(), nil
	})
	return names
}

// ColumnTypeDatabaseTypeName is the driver's name for the type of a column.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.data.ColumnTypeDatabaseTypeName(i) }

// ColumnTypePrecisionScale are precision and scale of numbers, as reported by the driver.
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.data.ColumnTypePrecisionScale(i)
}
