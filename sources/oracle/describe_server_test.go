package oracle

import (
	"fmt"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestTablesAreDescribed describes tables and a query in each profile and encoding, and reads them afterwards from
// the snapshot of the run.
func TestTablesAreDescribed(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(
		`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY, "N" NUMBER(12,2), "A" VARCHAR2(20), "D" DATE, "R" RAW(10), "F" BINARY_DOUBLE, "X.Y" TIMESTAMP(3))`,
		`INSERT INTO @."T" ("ID", "A") VALUES (1, 'x')`,
		`CREATE TABLE @."K" ("V" NUMBER(5))`,
	)
	rule := source.Env{AdvancedRules: ruleEnv(queryOf(`SELECT "ID", "N", "A" FROM `+fmt.Sprintf("%q", db.owner)+`."T"`, []any{"T"})).AdvancedRules}
	fixed := fmt.Sprintf(`"%s_T_" true: Database keyword, Table keyword, t_id long`, db.config.ServiceName)
	cases := []sqltest.Described{
		{Want: fixed + ", t_n decimal, t_a text, t_d date, t_r binary, t_f double, t_x.y date"},
		{Env: source.Env{Encoding: "compat"}, Want: fixed + ", t_n double, t_a text, t_d date, t_r text, t_f double, t_x.y date"},
		{
			Env: source.Env{Profile: "native"}, Want: `"" false: database keyword, schema keyword, table keyword, key.ID long, ` +
				`row.ID long, row.N decimal, row.A text, row.D date, row.R binary, row.F double, row.X_Y date`,
		},
		{Env: source.Env{IDsOnly: true}, Want: fixed},
		{Env: rule, Want: fixed + ", t_n decimal, t_a text"},
	}
	sqltest.DescribedAs(t, db.shared(), "T", cases)
	for _, tt := range cases {
		s := openSource(t, db.values(nil), tt.Env)
		if k, ok := sqltest.DescribeAll(t, s)["K"]; ok && len(k.Fields) < 4 {
			t.Errorf("a table without a key: %v", k.Fields)
		}
		if r := sqltest.Read(t.Context(), sqltest.Listed(t, s)["T"]); r.Err != nil || len(r.Docs) != 1 {
			t.Errorf("%+v: %+v", tt.Env, r)
		}
	}
}
