package tdstest_test

import (
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestParametersAreRead checks the value that the driver sends for each kind of argument, and its declaration.
func TestParametersAreRead(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	var last tdstest.Statement
	s.Handle(func(st tdstest.Statement) (tdstest.Result, bool) {
		last = st
		return tdstest.Result{Affected: 3}, true
	})
	db := open(t, s.DSN())
	for name, tt := range map[string]struct {
		arg      any
		declared string
		want     any
	}{
		"nvarchar":            {"žluť😀", "nvarchar(6)", "žluť😀"},
		"nvarchar, empty":     {"", "nvarchar(max)", ""},
		"nvarchar, NULL":      {sql.NullString{}, "nvarchar(4000)", nil},
		"nvarchar(max)":       {mssql.NVarCharMax("ž"), "nvarchar(max)", "ž"},
		"bigint":              {int64(-5), "bigint", int64(-5)},
		"int":                 {int32(-5), "int", int64(-5)},
		"smallint":            {int16(-5), "smallint", int64(-5)},
		"bigint, NULL":        {sql.NullInt64{}, "bigint", nil},
		"bit":                 {true, "bit", true},
		"varbinary":           {[]byte{0, 0xff}, "varbinary(2)", []byte{0, 0xff}},
		"varbinary, NULL":     {[]byte(nil), "varbinary(max)", nil},
		"NULL without a type": {nil, "nvarchar(1)", nil},
	} {
		res, err := db.ExecContext(t.Context(), "UPDATE t", tt.arg)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 3 || err != nil {
			t.Errorf("%s: got %d rows, %v", name, n, err)
		}
		want := tdstest.Statement{
			Session: 1, User: "reader", Reset: true, SQL: "UPDATE t", Declared: "@p1 " + tt.declared,
			Params: []tdstest.Param{{Name: "@p1", Value: tt.want}},
		}
		if d := cmp.Diff(want, last); d != "" {
			t.Errorf("%s: statement differs:\n%s", name, d)
		}
	}
}

// TestCountsOfBatches reach the client.
func TestCountsOfBatches(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	answer(s, "DELETE FROM t", tdstest.Result{Affected: 3})
	res, err := open(t, s.DSN()).ExecContext(t.Context(), "DELETE FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 3 || err != nil {
		t.Errorf("got %d rows, %v", n, err)
	}
}
