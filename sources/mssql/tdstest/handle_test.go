package tdstest_test

import (
	"database/sql"
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestTheLastFunctionIsAskedFirst, and each may leave a statement to the others.
func TestTheLastFunctionIsAskedFirst(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	answer(s, "SELECT 1", ids([]any{1}))
	answer(s, "SELECT 2", ids([]any{1}))
	answer(s, "SELECT 2", ids([]any{2}))
	for query, want := range map[string][][]any{"SELECT 1": {{int64(1)}}, "  SELECT 2\n": {{int64(2)}}} {
		got, err := read(t.Context(), db, query)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", query, err, d)
		}
	}
}

// TestStatementsHaveTheirUser, each of whom has a password.
func TestStatementsHaveTheirUser(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.AddLogin("writer", "other")
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		if st.User != "writer" {
			return tdstest.Result{Error: &tdstest.Message{Number: 229, Text: "denied"}}, true
		}
		return ids([]any{1}), true
	})
	as := func(user, password string) error {
		u, err := url.Parse(s.DSN())
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(user, password)
		_, err = read(t.Context(), open(t, u.String()), "SELECT id FROM t")
		return err
	}
	if err := as("writer", "other"); err != nil {
		t.Error(err)
	}
	if err := as("reader", config().Password); !numbers(err)[229] {
		t.Errorf("reader: got %v, want 229", err)
	}
	if err := as("writer", config().Password); !numbers(err)[18456] {
		t.Errorf("writer with the password of reader: got %v, want 18456", err)
	}
}

// TestFatalErrorsCloseTheConnection, and the next statement uses a new one.
func TestFatalErrorsCloseTheConnection(t *testing.T) {
	t.Parallel()
	for _, args := range [][]any{nil, {1}} {
		s := tdstest.New(t, config())
		answer(s, "SELECT 1", ids([]any{1}))
		r := ids(numbersOf(3)...)
		r.Error = &tdstest.Message{Number: 596, Class: 21, Text: "the session was killed"}
		answer(s, "SELECT id FROM t", r)
		db := open(t, s.DSN())
		_, err := read(t.Context(), db, "SELECT id FROM t", args...)
		if _, ok := errors.AsType[mssql.ServerError](err); !ok {
			t.Errorf("got the error %v", err)
		}
		if _, err := read(t.Context(), db, "SELECT 1"); err != nil {
			t.Errorf("the next statement: %v", err)
		}
		if n := len(s.Logins()); n != 2 {
			t.Errorf("there were %d logins, want 2", n)
		}
	}
}

// TestOneMistakeMayHaveSeveralErrors checks that the driver returns the last one, and also has the others.
func TestOneMistakeMayHaveSeveralErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]any{nil, {1}} {
		s := tdstest.New(t, config())
		answer(s, "SELECT id FROM v", tdstest.Result{
			Before: []tdstest.Message{{Number: 208, Text: "no such table"}}, Error: &tdstest.Message{Number: 4413, Text: "binding errors"},
		})
		_, err := read(t.Context(), open(t, s.DSN()), "SELECT id FROM v", args...)
		e, ok := errors.AsType[mssql.Error](err)
		if !ok || e.Number != 4413 || len(e.All) != 2 || e.All[0].Number != 208 {
			t.Errorf("with the parameters %v: got the error %+v", args, err)
		}
	}
}

// TestOneStatementMayHaveSeveralResults, of different columns, some of which end with an error. The driver stops at
// an error in a batch; it reads a procedure to the end and then returns the error.
func TestOneStatementMayHaveSeveralResults(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	text := tdstest.Result{
		Columns: []tdstest.Column{{Name: "s", Type: tdstest.NVarChar}, {Name: "n", Type: tdstest.Int}}, Rows: [][]any{{"ž", 7}},
	}
	failed := tdstest.Result{Error: &tdstest.Message{Number: 208, Text: "no such table"}}
	for name, tt := range map[string]struct {
		last             *tdstest.Result
		batch, procedure []int // columns of each result
		error            int32
	}{
		"two":                     {&text, []int{1, 2}, []int{1, 2}, 0},
		"a count between results": {&tdstest.Result{Affected: 1, Next: &text}, []int{1, 2}, []int{1, 2}, 0},
		"an error last":           {&failed, []int{1}, []int{1}, 208},
		"an error in the middle":  {&tdstest.Result{Error: failed.Error, Next: &text}, []int{1}, []int{1, 2}, 208},
	} {
		for i, args := range [][]any{nil, {1}} {
			r := ids([]any{1})
			r.Next = tt.last
			answer(s, "SELECT all", r)
			got, err := results(t, db, args...)
			if d := cmp.Diff([][]int{tt.batch, tt.procedure}[i], got); d != "" {
				t.Errorf("%s, with the parameters %v: columns differ:\n%s", name, args, d)
			}
			if (err != nil) != (tt.error != 0) || err != nil && !numbers(err)[tt.error] {
				t.Errorf("%s, with the parameters %v: got the error %v", name, args, err)
			}
		}
	}
	if n := len(s.Logins()); n != 1 {
		t.Errorf("there were %d logins; several results should not end a connection", n)
	}
}

// results reads all results, and returns the number of columns of each; each has one row.
func results(t *testing.T, db *sql.DB, args ...any) (columns []int, err error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT all", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if n != 1 {
			t.Errorf("a result has %d rows", n)
		}
		columns = append(columns, len(names))
	}
	return columns, rows.Err()
}
