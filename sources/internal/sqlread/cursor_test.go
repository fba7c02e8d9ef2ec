package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
)

// scriptedConn answers every statement with the same rows.
type scriptedConn struct {
	DriverConn

	rows   []int64
	fails  error // after the rows
	inputs int
	closed int // statements
}

func (c *scriptedConn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return &scriptedStmt{conn: c}, nil
}

type scriptedStmt struct {
	driver.Stmt

	conn *scriptedConn
}

func (s *scriptedStmt) NumInput() int { return s.conn.inputs }
func (s *scriptedStmt) Close() error  { s.conn.closed++; return nil }

func (s *scriptedStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	return &scriptedRows{left: s.conn.rows, fails: s.conn.fails}, nil
}

type scriptedRows struct {
	left  []int64
	fails error
}

func (r *scriptedRows) Columns() []string { return []string{"n"} }
func (r *scriptedRows) Close() error      { return nil }

func (r *scriptedRows) Next(row []driver.Value) error {
	switch {
	case len(r.left) > 0:
		row[0], r.left = r.left[0], r.left[1:]
		return nil
	case r.fails != nil:
		return r.fails
	}
	return io.EOF
}

func scripted(c *scriptedConn) *Conn {
	return &Conn{DriverConn: c, Answered: func(error) bool { return false }}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		conn  scriptedConn
		args  []driver.Value
		want  int
		fails error
	}{
		"no row":              {},
		"rows":                {conn: scriptedConn{rows: []int64{1, 2, 3}}, want: 3},
		"an error at once":    {conn: scriptedConn{fails: broken}, fails: broken},
		"an error after rows": {conn: scriptedConn{rows: []int64{1, 2}, fails: broken}, want: 2, fails: broken},
		"a cut connection":    {conn: scriptedConn{rows: []int64{1}, fails: io.ErrUnexpectedEOF}, want: 1, fails: io.ErrUnexpectedEOF},
	} {
		c, err := Open(t.Context(), scripted(&tt.conn), "SELECT", tt.args)
		n, ok := 0, err == nil
		for ok {
			if ok, err = c.Next(); ok {
				n++
				if c.Row[0] != int64(n) {
					t.Errorf("%s: row %d is %v", name, n, c.Row)
				}
			}
		}
		if n != tt.want || !errors.Is(err, tt.fails) {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
		if ended := tt.fails == nil || tt.want == 0; ended != (tt.conn.closed == 1) {
			t.Errorf("%s: %d statements were closed", name, tt.conn.closed)
		}
		if err == nil {
			if again, err := c.Next(); again || err != nil {
				t.Errorf("%s: a row after the end: %v, %v", name, again, err)
			}
		}
	}
}

func TestStreamAsksForParameters(t *testing.T) {
	t.Parallel()
	conn := &scriptedConn{inputs: 2}
	_, err := scripted(conn).Stream(t.Context(), "SELECT ?, ?", nil)
	if wrong, ok := errors.AsType[*ParameterError](err); !ok || wrong.N != 2 || conn.closed != 1 {
		t.Errorf("got %v, %d statements closed", err, conn.closed)
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	var got []int64
	err := scripted(&scriptedConn{rows: []int64{4, 5}, fails: io.ErrUnexpectedEOF}).Each(t.Context(), "SELECT", nil,
		func(row []driver.Value) { got = append(got, NumberOf(row[0])) })
	if len(got) != 2 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, %v", got, err)
	}
}
