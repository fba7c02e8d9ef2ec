package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// Cursor is a statement whose rows are taken one after the other.
type Cursor struct {
	Row []driver.Value // the row that [Cursor.Next] took; its values are good until it takes another
	End func() error   // asked once the last row has come; nil where there is nothing to ask

	conn  *Conn
	rows  *Rows
	ahead bool // Row was not handed out yet
	ended bool // no row comes behind it
}

// Open begins a statement and takes its first row: some errors come no sooner, such as that a table is no
// longer what the snapshot saw. An error leaves nothing open.
func Open(ctx context.Context, conn *Conn, query string, args []driver.Value) (*Cursor, error) {
	rows, err := conn.Stream(ctx, query, args)
	if err != nil {
		return nil, err
	}
	c := &Cursor{conn: conn, rows: rows, Row: make([]driver.Value, len(rows.Columns()))}
	err = c.take()
	if c.ahead = err == nil && !c.ended; err != nil {
		_ = c.Close() // the first error is the one that counts
		return nil, err
	}
	return c, nil
}

// Rows are those of the driver, for what it says of their columns.
func (c *Cursor) Rows() driver.Rows { return c.rows.Rows }

// Next takes the next row; ok is false where there is none, and then the statement is closed.
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

// Close closes a statement that did not come to its end. With some drivers that takes all rows that are left.
func (c *Cursor) Close() error { return c.rows.Close() }
