package oracle

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func ruleEnv(rules ...any) source.Env { return source.Env{AdvancedRules: rules} }

func queryOf(query string, tables []any, idColumns ...any) map[string]any {
	r := map[string]any{"query": query, "tables": tables}
	if idColumns != nil {
		r["id_columns"] = idColumns
	}
	return r
}

// shop creates customers and orders, both with the key ID, and a table without a key.
func (db *testDB) shop() {
	db.t.Helper()
	db.exec(
		`CREATE TABLE @."CUSTOMERS" ("ID" NUMBER(10) PRIMARY KEY, "NAME" VARCHAR2(20))`, `INSERT INTO @."CUSTOMERS" VALUES (1, 'Ann')`, `INSERT INTO @."CUSTOMERS" VALUES (2, 'Bob')`,
		`CREATE TABLE @."ORDERS" ("ID" NUMBER(10) PRIMARY KEY, "CUSTOMER" NUMBER(10), "PAID" NUMBER(1))`,
		`INSERT INTO @."ORDERS" VALUES (10, 1, 1)`, `INSERT INTO @."ORDERS" VALUES (11, 1, 0)`, `INSERT INTO @."ORDERS" VALUES (12, 2, 1)`,
		`CREATE TABLE @."NOTES" ("BODY" VARCHAR2(20))`,
	)
}

func TestAdvancedRules(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	at, owner := db.config.ServiceName, `"`+db.owner+`".`
	for name, tt := range map[string]struct {
		rule  map[string]any
		scope string
		ids   []string
		doc   string // of the first row
	}{
		"one table, with a semicolon": {
			rule:  queryOf(`SELECT * FROM `+owner+`"ORDERS" WHERE "PAID" = 1 ORDER BY "ID"; `, []any{"orders"}),
			scope: "ORDERS", ids: []string{at + "_ORDERS_10_", at + "_ORDERS_12_"}, doc: `{"orders_id":10,"orders_customer":1,"orders_paid":1}`,
		},
		"join": {
			rule:  queryOf(`SELECT o."ID", c."NAME" FROM `+owner+`"ORDERS" o JOIN `+owner+`"CUSTOMERS" c ON c."ID" = o."CUSTOMER" ORDER BY 1`, []any{"ORDERS", "CUSTOMERS"}, "id", "NAME"),
			scope: "CUSTOMERS+ORDERS", ids: []string{at + "_CUSTOMERS_ORDERS_10_Ann_", at + "_CUSTOMERS_ORDERS_11_Ann_", at + "_CUSTOMERS_ORDERS_12_Bob_"}, doc: `{"customers_orders_id":10,"customers_orders_name":"Ann"}`,
		},
		"id_columns, grouped": {
			rule:  queryOf(`SELECT "CUSTOMER", COUNT(*) AS "N" FROM `+owner+`"ORDERS" GROUP BY "CUSTOMER" ORDER BY 1`, []any{"ORDERS"}, "customer"),
			scope: "ORDERS", ids: []string{at + "_ORDERS_1_", at + "_ORDERS_2_"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := openSource(t, db.values(nil), ruleEnv(tt.rule))
			if err := d.Validate(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := sqltest.ReadSource(t, &Type, db.values(nil), ruleEnv(tt.rule))
			r := got[tt.scope]
			if len(got) != 1 || r.Err != nil {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(tt.ids, slices.Sorted(slices.Values(r.IDs))); diff != "" {
				t.Error(diff)
			}
			if tt.doc != "" && r.Docs[0] != tt.doc {
				t.Errorf("got  %s\nwant %s", r.Docs[0], tt.doc)
			}
		})
	}
}

// TestQueriesThatCouldWriteAreRefused checks that validation refuses a statement that could write, or is not one
// query.
func TestQueriesThatCouldWriteAreRefused(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	owner := `"` + db.owner + `".`
	for name, query := range map[string]string{
		"delete":         "DELETE FROM " + owner + `"ORDERS"`,
		"two":            "SELECT * FROM " + owner + `"ORDERS"; DELETE FROM ` + owner + `"ORDERS"`,
		"a block":        "BEGIN DELETE FROM " + owner + `"ORDERS"; END;`,
		"create":         "CREATE TABLE " + owner + `"X" ("ID" NUMBER(10))`,
		"for update":     "SELECT * FROM " + owner + `"ORDERS" FOR UPDATE`,
		"unknown column": `SELECT "NOSUCH" FROM ` + owner + `"ORDERS"`,
		"a parameter":    "SELECT * FROM " + owner + `"ORDERS" WHERE "ID" = :1`,
	} {
		t.Run(name, func(t *testing.T) {
			if name == "for update" && db.standIn {
				t.Skip("the stand-in for Oracle locks rows in a transaction that only reads")
			}
			sqltest.Refuse(t, openSource(t, db.values(nil), ruleEnv(queryOf(query, []any{"ORDERS"}))).Validate(t.Context()), source.ErrConfig, "advanced_rules[0]")
		})
	}
	if n := db.number(`SELECT COUNT(*) FROM @."ORDERS"`); n != 3 {
		t.Errorf("%d orders are left", n)
	}
	// A table that is not visible to the user yet does not make a rule invalid for good.
	unknown := ruleEnv(queryOf("SELECT * FROM "+owner+`"NOSUCH"`, []any{"ORDERS"}))
	if err := openSource(t, db.values(nil), unknown).Validate(t.Context()); err != nil {
		t.Error(err)
	}
	sqltest.Refuse(t, sqltest.ReadSource(t, &Type, db.values(nil), unknown)["ORDERS"].Err, nil, "ORDERS, advanced_rules[0]: ")
	sqltest.Refuse(t, openSource(t, db.values(nil), ruleEnv(queryOf(`SELECT "NAME" FROM `+owner+`"CUSTOMERS"`, []any{"CUSTOMERS"}))).Validate(t.Context()), source.ErrConfig, "ID")
	sqltest.Refuse(t, openSource(t, db.values(nil), ruleEnv(queryOf(`SELECT "BODY" FROM `+owner+`"NOTES"`, []any{"NOTES"}))).Validate(t.Context()), source.ErrConfig, "NOTES")
}

// TestRulesReplaceTables checks that the table list is not read in addition to rules.
func TestRulesReplaceTables(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	log := &sqltest.Logbook{}
	env := log.Env()
	env.AdvancedRules = ruleEnv(queryOf(`SELECT * FROM "`+db.owner+`"."ORDERS"`, []any{"ORDERS"})).AdvancedRules
	if got := sqltest.ReadSource(t, &Type, db.values(map[string]any{"tables": "CUSTOMERS,NOSUCH"}), env); len(got) != 1 || len(got["ORDERS"].IDs) != 3 || got["ORDERS"].Err != nil {
		t.Errorf("got %+v", got)
	}
}
