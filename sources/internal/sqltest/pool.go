package sqltest

import (
	"context"
	"database/sql"
	"slices"
	"testing"
)

// MustExec runs SQL, also during the cleanup of the test.
func MustExec(t testing.TB, pool *sql.DB, statements string) {
	t.Helper()
	if _, err := pool.ExecContext(context.WithoutCancel(t.Context()), statements); err != nil {
		t.Fatalf("%v in: %s", err, statements)
	}
}

// Numbers is the result of a query of one column.
func Numbers(t testing.TB, pool *sql.DB, query string, args ...any) (all []int) {
	t.Helper()
	rows, err := pool.QueryContext(context.WithoutCancel(t.Context()), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Gone waits until left lists none of the sessions.
func Gone(t testing.TB, sessions []int, left func() []int) {
	t.Helper()
	Eventually(t, "the sessions have ended", func() bool {
		still := left()
		return !slices.ContainsFunc(sessions, func(id int) bool { return slices.Contains(still, id) })
	})
}
