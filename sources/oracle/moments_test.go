package oracle

import (
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// rowsOf are rows of ORDERS with the given keys.
func rowsOf(keys ...string) answer {
	a := answer{to: `FROM "SHOP"."ORDERS"`, columns: []string{"ID"}}
	for _, k := range keys {
		a.rows = append(a.rows, []driver.Value{k})
	}
	return a
}

// TestTablesAreReadAsOfOneChangeNumber checks that tables are read as of the change number at which the run began, in
// a read-only transaction.
func TestTablesAreReadAsOfOneChangeNumber(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, source.Env{}, append(catalogueOf(), rowsOf("1", "2"))...)
	got := r.read(t)
	if d := cmp.Diff([]string{"XE_ORDERS_1_", "XE_ORDERS_2_"}, got.IDs); d != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, d)
	}
	want := []string{"SET TRANSACTION READ ONLY", `SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID"`}
	if d := cmp.Diff(want, r.reads()); d != "" {
		t.Error(d)
	}
	if log := r.log.String(); log != "" {
		t.Errorf("it says: %s", log)
	}
}

// TestWithoutAChangeNumber checks that transactions are used if the user may not read the change number.
func TestWithoutAChangeNumber(t *testing.T) {
	t.Parallel()
	refused := []answer{{to: "DBMS_FLASHBACK", err: oraError(904)}, {to: "V$DATABASE", err: oraError(942)}}
	r := newRun(t, nil, source.Env{}, append(refused, append(catalogueOf(), rowsOf("1"))...)...)
	if got := r.read(t); got.Err != nil || len(got.IDs) != 1 {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
	if d := cmp.Diff([]string{"SET TRANSACTION READ ONLY", `SELECT "ID" FROM "SHOP"."ORDERS" ORDER BY "ID"`}, r.reads()); d != "" {
		t.Error(d)
	}
	if log := r.log.String(); !strings.Contains(log, `GRANT EXECUTE ON DBMS_FLASHBACK TO \"SHOP\";`) {
		t.Errorf("it says: %s", log)
	}
}

func TestSecondWayToTheNumber(t *testing.T) {
	t.Parallel()
	ways := []answer{{to: "DBMS_FLASHBACK", err: oraError(904)}, {to: "V$DATABASE", columns: make([]string, 1), rows: [][]driver.Value{{"77"}}}}
	r := newRun(t, nil, source.Env{}, append(ways, append(catalogueOf(), rowsOf("1"))...)...)
	if got := r.read(t); got.Err != nil || !strings.Contains(strings.Join(r.reads(), "\n"), "AS OF SCN 77 ") {
		t.Errorf("got %v, %s", got.Err, r.reads())
	}
}

// TestNoFlashback checks that a table without the privilege FLASHBACK is read in the transaction, and that the log
// says how to grant it.
func TestNoFlashback(t *testing.T) {
	t.Parallel()
	for _, number := range []int{1031, 8187} {
		refused := answer{to: "AS OF SCN", err: oraError(number)}
		r := newRun(t, nil, source.Env{}, append([]answer{refused}, append(catalogueOf(), rowsOf("1"))...)...)
		if got := r.read(t); got.Err != nil || len(got.IDs) != 1 {
			t.Errorf("%d: got %v, %v", number, got.IDs, got.Err)
		}
		if log := r.log.String(); !strings.Contains(log, `GRANT FLASHBACK ON \"SHOP\".\"ORDERS\" TO \"SHOP\";`) || strings.Contains(log, "late") {
			t.Errorf("%d: it says: %s", number, log)
		}
	}
	all := newRun(t, nil, source.Env{}, append([]answer{{to: `FROM "SHOP"."ORDERS"`, err: oraError(1031)}}, catalogueOf()...)...)
	got := all.read(t)
	if !errors.Is(got.Err, source.ErrAuth) || !strings.Contains(source.Hint(got.Err), `GRANT SELECT ON "SHOP"."ORDERS"`) || all.log.String() != "" {
		t.Errorf("without any right: %v, %s", got.Err, all.log)
	}
}

// TestReadingResumesWhenTheSnapshotIsTooOld checks that reading resumes after the last key, as of a new change
// number.
func TestReadingResumesWhenTheSnapshotIsTooOld(t *testing.T) {
	t.Parallel()
	for _, number := range []int{1555, 8176, 8181} {
		first := rowsOf("1", "2")
		first.once, first.after = true, oraError(number)
		r := newRun(t, nil, source.Env{}, append(catalogueOf(), first, rowsOf("3"))...)
		got := r.read(t)
		if d := cmp.Diff([]string{"XE_ORDERS_1_", "XE_ORDERS_2_", "XE_ORDERS_3_"}, got.IDs); d != "" || got.Err != nil {
			t.Errorf("%d: %v %s", number, got.Err, d)
		}
		want := []string{
			"SET TRANSACTION READ ONLY",
			`SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID"`,
			`SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 2000 WHERE "ID" > :1 ORDER BY "ID"` + "\n-- :1 is 2 (int64)",
		}
		if d := cmp.Diff(want, r.reads()); d != "" {
			t.Errorf("%d: %s", number, d)
		}
		if log := r.log.String(); !strings.Contains(log, "late=true") || !strings.Contains(log, "ORA-") {
			t.Errorf("%d: it says: %s", number, log)
		}
	}
}

// TestTooOldInTransaction checks that without a change number a new transaction is begun.
func TestTooOldInTransaction(t *testing.T) {
	t.Parallel()
	refused := []answer{{to: "DBMS_FLASHBACK", err: oraError(904)}, {to: "V$DATABASE", err: oraError(942)}}
	first := rowsOf("1")
	first.once, first.after = true, oraError(1555)
	r := newRun(t, nil, source.Env{}, append(refused, append(catalogueOf(), first, rowsOf("2"))...)...)
	if got := r.read(t); got.Err != nil || len(got.IDs) != 2 {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
	want := []string{
		"SET TRANSACTION READ ONLY", `SELECT "ID" FROM "SHOP"."ORDERS" ORDER BY "ID"`, "ROLLBACK", "SET TRANSACTION READ ONLY",
		`SELECT "ID" FROM "SHOP"."ORDERS" WHERE "ID" > :1 ORDER BY "ID"` + "\n-- :1 is 1 (int64)",
	}
	if d := cmp.Diff(want, r.reads()); d != "" || !strings.Contains(r.log.String(), "from a later snapshot") {
		t.Error(d, r.log)
	}
}

// TestOldTransaction checks that a transaction too old for the catalog is begun again, and that rows are still read
// as of the change number of the run.
func TestOldTransaction(t *testing.T) {
	t.Parallel()
	old := answer{to: "FROM all_tab_cols", err: oraError(1555), once: true}
	r := newRun(t, nil, source.Env{}, append([]answer{old}, append(catalogueOf(), rowsOf("1"))...)...)
	if got := r.read(t); got.Err != nil || len(got.IDs) != 1 {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
	want := []string{"SET TRANSACTION READ ONLY", "ROLLBACK", "SET TRANSACTION READ ONLY", `SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID"`}
	if d := cmp.Diff(want, r.reads()); d != "" || r.log.String() != "" {
		t.Error(d, r.log)
	}
}

// TestAlteredTablesAreReadWithoutAChangeNumber checks that a table altered since the change number, or seconds before
// it, is read as of the beginning of its statement. Afterwards the session continues as before.
func TestAlteredTablesAreReadWithoutAChangeNumber(t *testing.T) {
	t.Parallel()
	changed := answer{to: "AS OF SCN", err: oraError(1466)}
	r := newRun(t, nil, source.Env{}, append([]answer{changed}, append(catalogueOf(), rowsOf("1"))...)...)
	if got := r.read(t); got.Err != nil || len(got.IDs) != 1 {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
	want := []string{
		"SET TRANSACTION READ ONLY", `SELECT "ID" FROM "SHOP"."ORDERS" AS OF SCN 1000 ORDER BY "ID"`,
		"ROLLBACK", `SELECT "ID" FROM "SHOP"."ORDERS" ORDER BY "ID"`, "SET TRANSACTION READ ONLY",
	}
	if d := cmp.Diff(want, r.reads()); d != "" || !strings.Contains(r.log.String(), "late=true") {
		t.Error(d, r.log)
	}
}

// TestReadingThatCannotResumeFails checks that a loss ends a table without an order, and that a table that never
// returns a row is given up.
func TestReadingThatCannotResumeFails(t *testing.T) {
	t.Parallel()
	loss := rowsOf("1")
	loss.after = oraError(1555)
	unsorted := catalogueOf()
	unsorted[3].rows[0][1] = "BINARY_DOUBLE"
	loss.rows[0][0] = 1.0
	r := newRun(t, nil, source.Env{}, append(unsorted, loss)...)
	got := r.read(t)
	if !errors.Is(got.Err, source.ErrTemporary) || len(got.IDs) != 1 || !strings.Contains(source.Hint(got.Err), "UNDO_RETENTION") {
		t.Errorf("got %v, %v", got.IDs, got.Err)
	}
	never := rowsOf()
	never.after = oraError(1555)
	r = newRun(t, nil, source.Env{}, append(catalogueOf(), never)...)
	if got := r.read(t); !errors.Is(got.Err, source.ErrTemporary) || len(got.IDs) != 0 || len(r.reads()) > 20 {
		t.Errorf("got %v, %v after %d statements", got.IDs, got.Err, len(r.reads()))
	}
	if r.server.closed {
		t.Error("the session was closed")
	}
}

// TestSessionIsKept checks that a session is used again after an error of the server, unless the error ends it.
func TestSessionIsKept(t *testing.T) {
	t.Parallel()
	for number, closed := range map[int]bool{942: false, 28: true, 3113: true} {
		r := newRun(t, map[string]any{"retry_count": 1}, source.Env{}, append(catalogueOf(), answer{to: `FROM "SHOP"."ORDERS"`, err: oraError(number)})...)
		if got := r.read(t); got.Err == nil || r.server.closed != closed {
			t.Errorf("%d: closed is %t after %v", number, r.server.closed, got.Err)
		}
	}
}

// TestOldServer checks that columns missing in the catalog of an old server are requested once, and then omitted.
func TestOldServer(t *testing.T) {
	t.Parallel()
	r := newRun(t, nil, source.Env{}, slices.Concat(oldServer(), catalogueOf(), []answer{rowsOf("1")})...)
	parts := r.parts(t)
	for range 2 {
		if _, err := r.Describe(t.Context(), r.first, parts[0]); err != nil {
			t.Fatal(err)
		}
	}
	count := func(text string) (n int) {
		for _, s := range r.server.asked {
			if strings.Contains(s, text) {
				n++
			}
		}
		return n
	}
	for text, want := range map[string]int{"num_rows": 1, "all_mviews": 1, "collation": 1, "data_type_owner": 2, "user_generated": 2, "validated": 2, "FROM all_tab_columns": 2} {
		if got := count(text); got != want {
			t.Errorf("%s was sent %d times, not %d", text, got, want)
		}
	}
}
