package oracle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// descriptionText writes a description in one line.
func descriptionText(d source.Description) string {
	var fields []string
	for _, f := range d.Fields {
		fields = append(fields, f.Name+" "+string(f.Kind))
	}
	return fmt.Sprintf("%q %t: %s", d.IDPrefix, d.NumericIDs, strings.Join(fields, ", "))
}

// TestTablesAreDescribed describes tables and a query as the profiles and encodings have them, and reads them
// afterwards from the snapshot of the run.
func TestTablesAreDescribed(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(
		`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY, "N" NUMBER(12,2), "A" VARCHAR2(20), "D" DATE, "R" RAW(10), "F" BINARY_DOUBLE, "X.Y" TIMESTAMP(3))`,
		`INSERT INTO @."T" ("ID", "A") VALUES (1, 'x')`,
		`CREATE TABLE @."K" ("V" NUMBER(5))`,
	)
	rules := []any{map[string]any{"tables": []any{"T"}, "query": `SELECT "ID", "N", "A" FROM ` + fmt.Sprintf("%q", db.owner) + `."T"`}}
	name := db.config.ServiceName
	const notes = ", _conversion_notes keyword"
	for _, tt := range []struct {
		env  source.Env
		want string
	}{
		{source.Env{}, `"D_T_" true: Database keyword, Table keyword, t_id long, t_n decimal, t_a text, t_d date, t_r binary, t_f double, t_x.y date` + notes},
		{source.Env{Encoding: "compat"}, `"D_T_" true: Database keyword, Table keyword, t_id long, t_n double, t_a text, t_d date, t_r text, t_f double, t_x.y date` + notes},
		{
			source.Env{Profile: "native"}, `"" false: database keyword, schema keyword, table keyword, key.ID long, ` +
				`row.ID long, row.N decimal, row.A text, row.D date, row.R binary, row.F double, row.X_Y date` + notes,
		},
		{source.Env{IDsOnly: true}, `"D_T_" true: Database keyword, Table keyword, t_id long` + notes},
		{source.Env{AdvancedRules: rules}, `"D_T_" true: Database keyword, Table keyword, t_id long, t_n decimal, t_a text` + notes},
	} {
		s := openSource(t, db.values(nil), tt.env)
		for p, err := range s.Parts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			d, err := p.(source.Describer).Describe(t.Context())
			if p.Scope() != "T" {
				if got := sqltest.Kinds(d); err != nil || len(got) < 4 {
					t.Errorf("a table without a key: %v, %v", got, err)
				}
				continue
			}
			if diff := cmp.Diff(strings.Replace(tt.want, `"D_`, `"`+name+"_", 1), descriptionText(d)); diff != "" || err != nil {
				t.Errorf("%+v: %v %s", tt.env, err, diff)
			}
			if r := sqltest.Read(t.Context(), p); r.Err != nil || len(r.Docs) != 1 {
				t.Errorf("%+v: %+v", tt.env, r)
			}
		}
	}
}
