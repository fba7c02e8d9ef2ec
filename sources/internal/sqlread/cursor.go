package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// Cursor is a statement whose rows are taken one after the other.
type Cursor struct {
	Row []driver.Value // the row that [Cursor.Next] read; its values are valid until the next call
	End func() error   // called after the last row; may be nil

	conn  *Conn
	rows  *Rows
	ahead bool // Row was read in advance
	ended bool // no row follows
}

// Open starts a statement and reads its first row, because some errors come only then, such as that a table has
// changed since the snapshot. After an error nothing is left open.
func Open(ctx context.Context, conn *Conn, query string, args []driver.Value) (*Cursor, error) {
	rows, err := conn.Stream(ctx, query, args)
	if err != nil {
		return nil, err
	}
	c := &Cursor{conn: conn, rows: rows, Row: make([]driver.Value, len(rows.Columns()))}
	err = c.take()
	if c.ahead = err == nil && !c.ended; err != nil {
		_ = c.Close() // the first error matters
		return nil, err
	}
	return c, nil
}

// Rows are the driver's rows, for their column descriptions.
func (c *Cursor) Rows() driver.Rows { return c.rows.Rows }

// Next reads the next row; ok is false if there is none, and then the statement is closed.
func (c *Cursor) Next() (ok bool, err error) {
	if !c.ahead && !c.ended {
		if err := c.take(); err != nil {
			return false, err
		}
	}
	c.ahead = false
	if c.ended && c.End != nil {
		return false, c.End()
	}
	return !c.ended, nil
}

func (c *Cursor) take() error {
	err := c.rows.Next(c.Row)
	if c.ended = errors.Is(err, io.EOF); c.ended {
		err = c.rows.Close()
	}
	return c.conn.Cause(err)
}

// Close closes a statement before its last row. Some drivers read all remaining rows.
func (c *Cursor) Close() error { return c.rows.Close() }
