package tdstest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

func numbersOf(n int) (rows [][]any) {
	for i := range n {
		rows = append(rows, []any{i})
	}
	return rows
}

func ids(rows ...[]any) tdstest.Result {
	return tdstest.Result{Columns: []tdstest.Column{{Name: "id", Type: tdstest.Int}}, Rows: rows}
}

// TestErrorsArriveAfterTheirRows, for batches and procedures, and the connection stays usable.
func TestErrorsArriveAfterTheirRows(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	answer(s, "SELECT 1", ids([]any{1}))
	for _, number := range []int32{208, 229, 1205, -1, 50000} {
		for _, args := range [][]any{nil, {1}} {
			for rows := range 3 {
				r := ids(numbersOf(rows)...)
				r.Error = &tdstest.Message{Number: number, State: 7, Class: 14, Text: "no such ž"}
				answer(s, "SELECT id FROM t", r)
				got, err := read(t.Context(), db, "SELECT id FROM t", args...)
				e, ok := errors.AsType[mssql.Error](err)
				if !ok {
					t.Fatalf("%d after %d rows: got the error %v", number, rows, err)
				}
				e.All = nil
				want := mssql.Error{Number: number, State: 7, Class: 14, Message: "no such ž", ServerName: "tdstest"}
				if d := cmp.Diff(want, e); d != "" {
					t.Errorf("error differs:\n%s", d)
				}
				if len(got) != rows {
					t.Errorf("%d: got %d rows before the error, want %d", number, len(got), rows)
				}
			}
		}
	}
	if _, err := read(t.Context(), db, "SELECT 1"); err != nil {
		t.Error(err)
	}
	if n := len(s.Logins()); n != 1 {
		t.Errorf("there were %d logins; an error should not end a connection", n)
	}
}

// TestBrokenAnswersAreErrors checks that the rows before the fault arrive, the end never does, and the pool gets a
// new connection.
func TestBrokenAnswersAreErrors(t *testing.T) {
	t.Parallel()
	full := 20000
	for name, tt := range map[string]struct {
		fault   tdstest.Fault
		rows    int
		atLeast int // number of rows that arrive
	}{
		"cut after some rows":          {tdstest.Fault{Cut: true}, 2000, 2000},
		"cut before the first row":     {tdstest.Fault{Cut: true}, 0, 0},
		"cut after some bytes":         {tdstest.Fault{CutBytes: 50000}, full, 9000},
		"cut within a packet's header": {tdstest.Fault{CutBytes: 4096 + 3}, full, 800},
		"cut within the columns":       {tdstest.Fault{CutBytes: 12}, full, 0},
		"bytes that are not a packet":  {tdstest.Fault{Wire: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tdstest.New(t, config())
			db := open(t, s.DSN())
			r := ids(numbersOf(tt.rows)...)
			answer(s, "SELECT 1", ids([]any{1}))
			r.Fault = tt.fault
			answer(s, "SELECT id FROM t", r)
			got, err := read(t.Context(), db, "SELECT id FROM t")
			if err == nil {
				t.Fatalf("there is no error, and %d rows", len(got))
			}
			if len(got) < tt.atLeast || len(got) > tt.rows || len(got) == full {
				t.Errorf("got %d rows of %d, want at least %d", len(got), tt.rows, tt.atLeast)
			}
			if _, err := read(t.Context(), db, "SELECT 1"); err != nil {
				t.Errorf("the next statement: %v", err)
			}
			if n := len(s.Logins()); n != 2 {
				t.Errorf("there were %d logins, want 2", n)
			}
		})
	}
}

// TestCanceledStatementsAreAcknowledged during rows and during silence, and the connection stays usable.
func TestCanceledStatementsAreAcknowledged(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]tdstest.Result{
		"silence": {Wait: make(chan struct{})},
		"rows": { // more than the socket buffers of both sides hold
			Columns: []tdstest.Column{{Type: tdstest.VarChar, Size: tdstest.Max}}, Rows: slices.Repeat([][]any{{strings.Repeat("x", 1<<20)}}, 64),
		},
	} {
		for _, args := range [][]any{nil, {1}} {
			t.Run(name+" "+strings.Repeat("by procedure", len(args)), func(t *testing.T) {
				t.Parallel()
				s := tdstest.New(t, config())
				db := open(t, s.DSN())
				db.SetMaxOpenConns(1) // the next statement waits for the previous one's connection
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.Handle(func(tdstest.Statement) (tdstest.Result, bool) {
					if r.Wait != nil {
						cancel()
					}
					return r, true
				})
				answer(s, "SELECT 1", ids([]any{1}))
				rows, err := db.QueryContext(ctx, "SELECT c FROM t", args...)
				if r.Wait == nil && err == nil {
					defer rows.Close()
					for rows.Next() {
						cancel()
					}
					err = rows.Err()
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got the error %v", err)
				}
				got, err := read(t.Context(), db, "SELECT 1")
				if d := cmp.Diff([][]any{{int64(1)}}, got); d != "" || err != nil {
					t.Errorf("the next statement: %v\n%s", err, d)
				}
				if n := len(s.Logins()); n != 1 {
					t.Errorf("there were %d logins; a canceled statement should not end a connection", n)
				}
			})
		}
	}
}

// TestConnectionsDoNotMix checks that each goroutine gets its own rows.
func TestConnectionsDoNotMix(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		return ids(slices.Repeat([][]any{{st.Params[0].Value}}, 2000)...), true
	})
	db := open(t, s.DSN())
	var g errgroup.Group
	for k := range 16 {
		g.Go(func() error {
			got, err := read(t.Context(), db, "SELECT id FROM t WHERE k = @p1", k)
			if err != nil {
				return err
			}
			if d := cmp.Diff(slices.Repeat([][]any{{int64(k)}}, 2000), got); d != "" {
				return errors.New(d)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// recorder is a test that records its failure instead of failing.
type recorder struct {
	testing.TB
	failed  chan string
	cleanup func()
}

func (r *recorder) Cleanup(f func())                  { r.cleanup = f }
func (r *recorder) Errorf(format string, args ...any) { r.failed <- fmt.Sprintf(format, args...) }

// TestUnansweredStatementsFailTheTest, and so do values that a column cannot hold.
func TestUnansweredStatementsFailTheTest(t *testing.T) {
	t.Parallel()
	of := func(c tdstest.Column, v any) tdstest.Result {
		c.Name = "c"
		return tdstest.Result{Columns: []tdstest.Column{c}, Rows: [][]any{{v}}}
	}
	for name, tt := range map[string]struct {
		result *tdstest.Result
		want   string
	}{
		"no answer":             {nil, `"SELECT c FROM forgotten"`},
		"NULL":                  {new(of(tdstest.Column{Type: tdstest.Int}, nil)), "not nullable"},
		"too many values":       {new(tdstest.Result{Columns: ids().Columns, Rows: [][]any{{1, 2}}}), "2 values for 1"},
		"no type":               {new(of(tdstest.Column{}, 1)), "no type"},
		"text in an integer":    {new(of(tdstest.Column{Type: tdstest.Int}, "1")), "does not take a string"},
		"an integer too large":  {new(of(tdstest.Column{Type: tdstest.TinyInt}, 256)), "does not fit"},
		"a text too long":       {new(of(tdstest.Column{Type: tdstest.NVarChar, Size: 1}, "ab")), "does not fit into 2"},
		"too many digits":       {new(of(tdstest.Column{Type: tdstest.Decimal, Precision: 3}, "1234")), "more than 3 digits"},
		"too long a fraction":   {new(of(tdstest.Column{Type: tdstest.Money}, "0.00001")), "after its point"},
		"beyond the code page":  {new(of(tdstest.Column{Type: tdstest.VarChar}, "ť")), "code page"},
		"no time":               {new(of(tdstest.Column{Type: tdstest.Date}, "2024-01-01")), "time.Time"},
		"before 1900":           {new(of(tdstest.Column{Type: tdstest.SmallDateTime}, at("1899-01-01T00:00:00Z"))), "1900"},
		"no uniqueidentifier":   {new(of(tdstest.Column{Type: tdstest.UniqueIdentifier}, "01")), "32 hexadecimal"},
		"text in a binary type": {new(of(tdstest.Column{Type: tdstest.VarBinary}, "a")), "does not take a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t, failed: make(chan string, 8)}
			s := tdstest.New(r, config())
			defer r.cleanup()
			if tt.result != nil {
				answer(s, "SELECT c FROM forgotten", *tt.result)
			}
			if _, err := read(t.Context(), open(t, s.DSN()), "SELECT c FROM forgotten"); err == nil {
				t.Error("the client got no error")
			}
			if got := <-r.failed; !strings.Contains(got, tt.want) {
				t.Errorf("the test failed with %s, want %s", got, tt.want)
			}
		})
	}
}

// TestAnEndedServerLeavesNoGoroutine, even if it ended while it was silent. The test is not parallel, because
// goroutines of other tests would be counted.
func TestAnEndedServerLeavesNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	r := &recorder{TB: t, failed: make(chan string, 1)}
	s := tdstest.New(r, config())
	var ended sync.WaitGroup
	s.Handle(func(tdstest.Statement) (tdstest.Result, bool) {
		ended.Go(r.cleanup)
		return tdstest.Result{Wait: make(chan struct{})}, true
	})
	db, err := sql.Open("sqlserver", s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), db, "SELECT 1"); err == nil {
		t.Error("the client did not notice")
	}
	ended.Wait()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}
