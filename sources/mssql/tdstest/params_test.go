package tdstest_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestParametersAreRead checks the value that the driver sends for each kind of argument, and its declaration.
func TestParametersAreRead(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	day := time.Date(2024, 2, 29, 12, 34, 56, 123456700, time.FixedZone("", 90*60))
	var datetime2 mssql.NullDateTime
	if err := datetime2.Scan(day); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		arg      any
		declared string
		want     any
	}{
		"nvarchar":            {"žluť😀", "nvarchar(6)", "žluť😀"},
		"nvarchar, empty":     {"", "nvarchar(max)", ""},
		"nvarchar, NULL":      {sql.NullString{}, "nvarchar(4000)", nil},
		"nvarchar(max)":       {mssql.NVarCharMax("ž"), "nvarchar(max)", "ž"},
		"varchar":             {mssql.VarChar("abc"), "varchar(3)", "abc"},
		"varchar(max)":        {mssql.VarCharMax("abc"), "varchar(max)", "abc"},
		"nchar":               {mssql.NChar("ž"), "nchar(1)", "ž"},
		"bigint":              {int64(-5), "bigint", int64(-5)},
		"int":                 {int32(-5), "int", int64(-5)},
		"smallint":            {int16(-5), "smallint", int64(-5)},
		"bigint, NULL":        {sql.NullInt64{}, "bigint", nil},
		"bit":                 {true, "bit", true},
		"float":               {0.1, "float", 0.1},
		"real":                {float32(0.5), "real", 0.5},
		"varbinary":           {[]byte{0, 0xff}, "varbinary(2)", []byte{0, 0xff}},
		"varbinary, NULL":     {[]byte(nil), "varbinary(max)", nil},
		"datetimeoffset":      {day, "datetimeoffset(7)", day},
		"datetime":            {mssql.DateTime1(day), "datetime", time.Date(2024, 2, 29, 12, 34, 56, 123333333, time.UTC)},
		"datetime2":           {datetime2, "datetime2(7)", time.Date(2024, 2, 29, 12, 34, 56, 123456700, time.UTC)},
		"date":                {mssql.NullDate{Date: datetime2.DateTime.Date, Valid: true}, "date", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		"time":                {mssql.NullTime{Time: datetime2.DateTime.Time, Valid: true}, "time", time.Date(1, 1, 1, 12, 34, 56, 123456700, time.UTC)},
		"uniqueidentifier":    {mssql.UniqueIdentifier{0x01, 0x23, 0x45, 0x67}, "uniqueidentifier", "01234567-0000-0000-0000-000000000000"},
		"NULL without a type": {nil, "nvarchar(1)", nil},
	} {
		query := "SELECT " + name
		s.AnswerWhen(query, tdstest.When{Params: []any{tt.want}}, tdstest.Result{
			Columns: []tdstest.Column{{Name: "one", Type: tdstest.Int}}, Rows: [][]any{{1}},
		})
		got, err := read(t.Context(), db, query, tt.arg)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v %v", name, got, err)
		}
		all := s.Statements()
		last := all[len(all)-1]
		want := tdstest.Statement{
			Session: 1, User: "reader", Reset: true, SQL: query, Declared: "@p1 " + tt.declared,
			Params: []tdstest.Param{{Name: "@p1", Value: tt.want}},
		}
		if d := cmp.Diff(want, last); d != "" {
			t.Errorf("%s: statement differs:\n%s", name, d)
		}
	}
}

// TestProceduresAreNamed checks that the text of a procedure call is the procedure's name.
func TestProceduresAreNamed(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.Answer("sp_describe_first_result_set", tdstest.Result{
		Columns: []tdstest.Column{{Name: "name", Type: tdstest.NVarChar}}, Rows: [][]any{{"id"}},
	})
	got, err := read(t.Context(), open(t, s.DSN()), "sp_describe_first_result_set", sql.Named("tsql", "SELECT 1"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]any{{"id"}}, got); d != "" {
		t.Errorf("rows differ:\n%s", d)
	}
	want := []tdstest.Param{{Name: "@tsql", Value: "SELECT 1"}}
	if d := cmp.Diff(want, s.Statements()[0].Params); d != "" {
		t.Errorf("parameters differ:\n%s", d)
	}
}

// TestTheLastAnswerThatFitsCounts, depending on parameters and number of uses.
func TestTheLastAnswerThatFitsCounts(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	answer := func(n int) tdstest.Result {
		return tdstest.Result{Columns: []tdstest.Column{{Name: "n", Type: tdstest.Int}}, Rows: [][]any{{n}}}
	}
	const query = "SELECT n WHERE k = @p1"
	s.AnswerFunc(query, func(params []tdstest.Param) tdstest.Result {
		return answer(int(params[0].Value.(int64)) * 10)
	})
	s.AnswerWhen(query, tdstest.When{Params: []any{2}}, answer(2))
	s.AnswerWhen(query, tdstest.When{Params: []any{2}, Times: 1}, answer(3))
	for i, tt := range []struct{ k, want int64 }{{1, 10}, {2, 3}, {2, 2}, {4, 40}} {
		got, err := read(t.Context(), db, query, tt.k)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([][]any{{tt.want}}, got); d != "" {
			t.Errorf("question %d differs:\n%s", i, d)
		}
	}
}

// TestTransactionsNeedNoAnswer, and the list of statements has them with their isolation level.
func TestTransactionsNeedNoAnswer(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	s.Answer("SET LOCK_TIMEOUT 60000", tdstest.Result{})
	db := open(t, s.DSN())
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSnapshot})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), "SET LOCK_TIMEOUT 60000"); err != nil {
			t.Fatal(err)
		}
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, st := range s.Statements() {
		got = append(got, fmt.Sprint(st.SQL, " ", st.Reset))
	}
	want := []string{
		"BEGIN TRANSACTION 5 true", "SET LOCK_TIMEOUT 60000 false", "COMMIT TRANSACTION false",
		"BEGIN TRANSACTION 5 true", "SET LOCK_TIMEOUT 60000 false", "ROLLBACK TRANSACTION false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("statements differ:\n%s", d)
	}
}

// TestCountsOfBatchesAndProcedures reach the client.
func TestCountsOfBatchesAndProcedures(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	db := open(t, s.DSN())
	s.Answer("DELETE FROM t", tdstest.Result{Affected: 3})
	for _, args := range [][]any{nil, {1}} {
		res, err := db.ExecContext(t.Context(), "DELETE FROM t", args...)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 3 || err != nil {
			t.Errorf("with the parameters %v: got %d rows, %v", args, n, err)
		}
	}
}
