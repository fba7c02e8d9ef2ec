package tdstest_test

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestFunctionsAreAskedBeforeTexts, the last function first, and each may leave a statement to the others.
func TestFunctionsAreAskedBeforeTexts(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	s.Answer("SELECT 1", ids([]any{1}))
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		return ids([]any{2}), strings.HasPrefix(st.SQL, "SELECT")
	})
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		if len(st.Params) == 0 {
			return tdstest.Result{}, false
		}
		return ids([]any{st.Params[0].Value}), true
	})
	s.Answer("SET LOCK_TIMEOUT 1", tdstest.Result{Affected: 4})
	for name, tt := range map[string]struct {
		query string
		args  []any
		want  [][]any
	}{
		"the last function":               {"SELECT id FROM t WHERE k = @p1", []any{3}, [][]any{{int64(3)}}},
		"the function before it":          {"SELECT id FROM t", nil, [][]any{{int64(2)}}},
		"a function goes before the text": {"SELECT 1", nil, [][]any{{int64(2)}}},
		"the text":                        {"SET LOCK_TIMEOUT 1", nil, nil},
	} {
		got, err := read(t.Context(), db, tt.query, tt.args...)
		if d := cmp.Diff(tt.want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}

// TestFunctionsSeeTransactions checks that transactions that no function answers get the response of a real server.
func TestFunctionsSeeTransactions(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		if st.SQL == "BEGIN TRANSACTION 5" {
			return tdstest.Result{Error: &tdstest.Message{Number: 3952, Text: "snapshots are not allowed here"}}, true
		}
		return tdstest.Result{}, false
	})
	db := open(t, s.DSN())
	_, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSnapshot})
	if !numbers(err)[3952] {
		t.Errorf("got the error %v", err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
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

// TestErrorsMayEndTheTransaction checks that the client learns that it has ended.
func TestErrorsMayEndTheTransaction(t *testing.T) {
	t.Parallel()
	for _, over := range []bool{false, true} {
		for _, args := range [][]any{nil, {1}} {
			s := tdstest.New(t, config())
			s.Answer("SELECT 1", ids([]any{1}))
			s.Answer("SELECT id FROM t", tdstest.Result{
				Error: &tdstest.Message{Number: 1205, Class: 13, Text: "deadlock"}, Rollback: over,
			})
			tx, err := open(t, s.DSN()).BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(t.Context(), "SELECT id FROM t", args...); !numbers(err)[1205] {
				t.Fatalf("got the error %v", err)
			}
			var id int
			err = tx.QueryRowContext(t.Context(), "SELECT 1").Scan(&id)
			if gone := err != nil && strings.Contains(err.Error(), "aborted by the server"); gone != over {
				t.Errorf("rolled back: %v; the next statement: %v", over, err)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestFatalErrorsCloseTheConnection, and the next statement uses a new one.
func TestFatalErrorsCloseTheConnection(t *testing.T) {
	t.Parallel()
	for _, args := range [][]any{nil, {1}} {
		s := tdstest.New(t, config())
		s.Answer("SELECT 1", ids([]any{1}))
		r := ids(numbersOf(3)...)
		r.Error = &tdstest.Message{Number: 596, Class: 21, Text: "the session was killed"}
		s.Answer("SELECT id FROM t", r)
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
		s.Answer("SELECT id FROM v", tdstest.Result{
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
			s.Answer("SELECT all", r)
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

// TestTheDatabaseOfALogin checks that a login without a database gets the server's, and that case does not matter.
func TestTheDatabaseOfALogin(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"", "SHOP", "shop"} {
		s := tdstest.New(t, config())
		s.Answer("SELECT 1", ids([]any{1}))
		u, err := url.Parse(s.DSN())
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		query.Set("database", database)
		u.RawQuery = query.Encode()
		if _, err := read(t.Context(), open(t, u.String()), "SELECT 1"); err != nil {
			t.Errorf("%q: %v", database, err)
		}
	}
}

// TestOtherCollations checks that the driver decodes texts with the collation of their column.
func TestOtherCollations(t *testing.T) {
	t.Parallel()
	czech := [5]byte{0x05, 0x04, 0xd0, 0x00, 0x00} // Czech_CI_AS, code page 1250
	s := tdstest.New(t, config())
	column := tdstest.Column{Type: tdstest.VarChar, Size: 10, Collation: czech}
	inside := tdstest.Variant{Column: column, Value: []byte{0x9e}}
	binary := column
	binary.Collation = [5]byte{0x09, 0x04, 0x00, 0x02, 0x00} // Latin1_General_BIN2: also a text in code page 1252
	long, old := column, column
	long.Size, old.Type = tdstest.Max, tdstest.Text
	s.Answer("SELECT c", tdstest.Result{
		Columns: []tdstest.Column{column, long, old, {Type: tdstest.SQLVariant}, binary},
		Rows:    [][]any{{[]byte("\x9elu\x9d"), []byte{0x9e}, []byte{0x9e}, inside, "é"}},
	})
	got, err := read(t.Context(), open(t, s.DSN()), "SELECT c")
	if d := cmp.Diff([][]any{{"žluť", "ž", "ž", "ž", "é"}}, got); d != "" || err != nil {
		t.Errorf("rows differ: %v\n%s", err, d)
	}
}
