package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// ruleEnv makes the environment of rules, each given by its tables, query and id columns.
func ruleEnv(rules ...map[string]any) source.Env {
	list := []any{}
	for _, r := range rules {
		list = append(list, r)
	}
	return source.Env{AdvancedRules: list}
}

func queryOf(query string, tables string, idColumns ...any) map[string]any {
	r := map[string]any{"query": query, "tables": []any{}}
	for t := range strings.SplitSeq(tables, ",") {
		r["tables"] = append(r["tables"].([]any), t)
	}
	if idColumns != nil {
		r["id_columns"] = idColumns
	}
	return r
}

// shop makes customers and orders, both with the key id, and items with one of two columns.
func (db *testDB) shop() {
	db.t.Helper()
	db.exec(`CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
		CREATE TABLE orders (id int PRIMARY KEY, customer int, paid boolean, price decimal(10,2), at datetime(3), big bigint unsigned, flags bit(3), tags set('a','b'), place point);
		INSERT INTO orders VALUES (10, 1, true, 1234.5, '2024-01-02 03:04:05.5', 5, b'101', 'a,b', ST_GeomFromText('POINT(1 2)')), (11, 1, false, -0.07, NULL, NULL, NULL, NULL, NULL), (12, 2, true, 2, NULL, NULL, NULL, NULL, NULL);
		CREATE TABLE items (order_id int, line int, PRIMARY KEY (line, order_id)); INSERT INTO items VALUES (10, 1), (10, 2);
		CREATE TABLE notes (body text); INSERT INTO notes VALUES ('x');
		CREATE VIEW totals AS SELECT customer, sum(price) AS total FROM orders GROUP BY customer`)
}

func TestAdvancedRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		for name, tt := range map[string]struct {
			rule  map[string]any
			scope string
			ids   []string
			doc   string // of the row that comes first
		}{
			"63 one table, with a semicolon": {
				rule:  queryOf("SELECT * FROM orders WHERE paid ORDER BY id; ", "orders"),
				scope: "orders", ids: []string{"orders_10", "orders_12"},
				doc: `{"id_":10,"customer":1,"paid":1,"price":"1234.50","at":"2024-01-02T03:04:05.5Z","big":"5","flags":5,"tags":["a","b"],"place":{"type":"Point","coordinates":[1.0,2.0]}}`,
			},
			"join": {
				rule:  queryOf("SELECT o.id, c.name, c.id FROM orders o JOIN customers c ON c.id = o.customer ORDER BY 1 -- all\n;", "orders,customers", "id", "name"),
				scope: "customers+orders", ids: []string{"customers_orders_10_Ann", "customers_orders_11_Ann", "customers_orders_12_Bob"},
				doc: `{"id_":10,"name":"Ann","id_2":1}`,
			},
			"key by name, in another letter case": {
				rule:  queryOf("WITH o AS (SELECT id + 0 AS `ID`, customer FROM orders) SELECT * FROM o ORDER BY 1", db.name+".orders"),
				scope: "orders", ids: []string{"orders_10", "orders_11", "orders_12"},
				doc: `{"ID":10,"customer":1}`,
			},
			"key of two columns, by name": {
				rule:  queryOf("SELECT order_id, line FROM items ORDER BY line", "items"),
				scope: "items", ids: []string{"items_1_10", "items_2_10"},
				doc: `{"order_id":10,"line":1}`,
			},
			"65 id_columns": {
				rule:  queryOf("SELECT name AS `Name`, id AS number, 'x' AS k FROM customers ORDER BY id", "customers", "K", "number"),
				scope: "customers", ids: []string{"customers_x_1", "customers_x_2"},
				doc: `{"Name":"Ann","number":1,"k":"x"}`,
			},
			"63 duplicate names": {
				rule:  queryOf("SELECT 1 AS a, 2 AS a, 3 AS `A`, 4 AS a_2", "notes", "a"),
				scope: "notes", ids: []string{"notes_1"},
				doc: `{"a":1,"a_3":2,"A":3,"a_2":4}`,
			},
			"63 a limit of its own, and no name": {
				rule:  queryOf("SELECT id, '' FROM orders ORDER BY id DESC LIMIT 1", "orders"),
				scope: "orders", ids: []string{"orders_12"},
				doc: `{"id_":12,"_col2":""}`,
			},
			"view": {
				rule:  queryOf("SELECT * FROM totals ORDER BY customer LIMIT 1", "totals", "customer"),
				scope: "totals", ids: []string{"totals_1"},
				doc: `{"customer":1,"total":"1234.43"}`,
			},
			"63 grouped, and a union": {
				rule:  queryOf("SELECT customer, count(*) AS n FROM orders GROUP BY 1 UNION SELECT 3, 0 ORDER BY 1", "orders", "customer"),
				scope: "orders", ids: []string{"orders_1", "orders_2", "orders_3"},
				doc: `{"customer":1,"n":2}`,
			},
			"a parenthesis": {
				rule:  queryOf("(SELECT 1 AS k, ':x ?' AS v)", "notes", "k"),
				scope: "notes", ids: []string{"notes_1"},
				doc: `{"k":1,"v":":x ?"}`,
			},
		} {
			t.Run(name, func(t *testing.T) {
				d := openSource(t, db.values(nil), ruleEnv(tt.rule))
				if err := d.Validate(t.Context()); err != nil {
					t.Fatal(err)
				}
				parts := list(t, d)
				if len(parts) != 1 || parts[0].Scope() != tt.scope || parts[0].Name() != tt.scope+", advanced_rules[0]" {
					t.Fatalf("got the parts %q", names(parts))
				}
				got := sqltest.Read(t.Context(), parts[0])
				if diff := cmp.Diff(tt.ids, slices.Sorted(slices.Values(got.IDs))); diff != "" || got.Err != nil {
					t.Errorf("%v %s", got.Err, diff)
				}
				if len(got.Docs) == 0 || got.Docs[0] != tt.doc {
					t.Errorf("got  %v\nwant %s", got.Docs, tt.doc)
				}
			})
		}
	})
}

// TestTablesOfRules: the field that every document has lists the tables as they are given, and tells the
// scope of the part.
func TestTablesOfRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		values := db.values(nil)
		for _, profile := range []string{"head", "seed87", "native"} {
			env := ruleEnv(queryOf("SELECT id FROM orders", "orders"), queryOf("SELECT id FROM orders", "orders,customers"))
			env.Profile = profile
			want := []string{`able":["orders"],`, `able":["orders","customers"],`}
			for i, p := range list(t, openSource(t, values, env)) {
				for doc, err := range p.Documents(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					out, end := document.AppendSource(nil, &doc, document.Trailer{})
					encoded := slices.Concat(out[:end], []byte("}"))
					fields := map[string]any{}
					if err := json.Unmarshal(encoded, &fields); err != nil || !strings.Contains(string(encoded), want[i]) {
						t.Errorf("%v: %s is not in %s", err, want[i], encoded)
					}
					if scope, ok := Type.ScopeOf(sqltest.Parse(t, &Type, values), fields); !ok || scope != p.Scope() {
						t.Errorf("ScopeOf tells %q of %s", scope, encoded)
					}
				}
			}
		}
	})
}

// TestRulesReplaceTables: no table of the list is read beside them, and none of their names is missing.
func TestRulesReplaceTables(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		log := &sqltest.Logbook{}
		env := log.Env()
		env.AdvancedRules = ruleEnv(queryOf("SELECT * FROM orders WHERE paid", "orders"), queryOf("SELECT * FROM orders WHERE NOT paid", "orders")).AdvancedRules
		parts := list(t, openSource(t, db.values(map[string]any{"tables": "items,nosuch"}), env))
		if diff := cmp.Diff([]string{"orders, advanced_rules[0]", "orders, advanced_rules[1]"}, names(parts)); diff != "" || strings.Contains(log.String(), "WARN") {
			t.Errorf("logged %s; parts: %s", log, diff)
		}
		env.AdvancedRules = []any{}
		if parts := list(t, openSource(t, db.values(map[string]any{"tables": "items"}), env)); len(parts) != 1 || parts[0].Name() != "items" {
			t.Errorf("no rules: got the parts %q", names(parts))
		}
	})
}

// TestCase66NothingIsExecuted: what changes something, or is not one query, is refused when it is
// validated.
func TestCase66NothingIsExecuted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		db.exec("CREATE TABLE ran (n int); CREATE FUNCTION f() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO ran VALUES (1); RETURN 1; END")
		for _, query := range []string{
			"DELETE FROM orders",
			"UPDATE orders SET paid = true",
			"WITH c AS (SELECT 1) DELETE FROM orders",
			"SELECT * FROM orders; DELETE FROM orders",
			"SELECT * FROM orders; SELECT 1",
			"SELECT id INTO OUTFILE '/tmp/x' FROM orders",
			"SELECT id FROM orders INTO DUMPFILE '/tmp/x'",
			"SELECT id INTO @x FROM orders LIMIT 1",
			"CREATE TABLE x AS SELECT 1",
			"SHOW TABLES",
			"EXPLAIN SELECT f()",
			"SELECT id, f() FROM orders",
			"CALL nosuch()",
			"HANDLER orders OPEN",
			"SELECT * FROM (SELECT 1",
			"SELECT 1) OR EXISTS (SELECT 1",
			"-- nothing",
			"COMMIT",
			"SET @x = 1",
			"ANALYZE TABLE orders",
		} {
			d := openSource(t, db.values(nil), ruleEnv(queryOf("SELECT id FROM orders", "orders"), queryOf(query, "orders")))
			refuse(t, d.Validate(t.Context()), source.ErrConfig, "orders, advanced_rules[1]: query: ", "write one SELECT or WITH statement that only reads")
		}
		for query, says := range map[string]string{
			"SELECT * FROM nosuch":              "nosuch' doesn't exist",
			"SELECT nosuch FROM orders":         "Unknown column 'nosuch'",
			"SELECT nosuch()":                   "nosuch does not exist",
			"SELECT * FROM orders WHERE id = ?": "it has a parameter",
			"SELECT customer FROM orders":       `has no column "id", which the key of orders has`,
		} {
			d := openSource(t, db.values(nil), ruleEnv(queryOf(query, "orders")))
			refuse(t, d.Validate(t.Context()), source.ErrConfig, "orders, advanced_rules[0]: query: ", says)
		}
		if n, ran := db.number("SELECT count(*) FROM orders"), db.number("SELECT count(*) FROM ran"); n != 3 || ran != 0 {
			t.Errorf("%d orders are left, and a query ran %d times", n, ran)
		}
		// What only shows when it runs is refused by the transaction.
		for _, query := range []string{"SELECT id, f() FROM orders", "SELECT id FROM orders FOR UPDATE"} {
			d := openSource(t, db.values(nil), ruleEnv(queryOf(query, "orders")))
			refuse(t, sqltest.Read(t.Context(), list(t, d)[0]).Err, source.ErrConfig, "orders, advanced_rules[0]: ", "READ ONLY transaction", "only reads")
		}
		// To validate a query that takes long takes no time.
		d := openSource(t, db.values(nil), ruleEnv(queryOf("SELECT id, SLEEP(3600) AS s FROM orders ORDER BY s", "orders")))
		start := time.Now()
		if err := d.Validate(t.Context()); err != nil || time.Since(start) > sqltest.Patience {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestCase64And65RulesThatDoNotFit: tables that do not exist, and keys that the result does not have.
func TestCase64And65RulesThatDoNotFit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		all := "SELECT * FROM orders"
		for name, tt := range map[string]struct {
			rules []map[string]any
			says  []string
		}{
			"unknown tables":      {rules: []map[string]any{queryOf(all, "zebra,orders"), queryOf(all, "apple,zebra,Orders")}, says: []string{"advanced_rules: there is no table Orders, apple, zebra in database"}},
			"of another database": {rules: []map[string]any{queryOf(all, "elsewhere.customers")}, says: []string{"there is no table elsewhere.customers in database"}},
			"id column is absent": {rules: []map[string]any{queryOf("SELECT id, paid FROM orders", "orders", "id", "nosuch")}, says: []string{`orders, advanced_rules[0]: id_columns: the result of the query has no column "nosuch"`, "it has id, paid"}},
			"no key":              {rules: []map[string]any{queryOf("SELECT * FROM orders, notes", "orders,notes")}, says: []string{"notes+orders, advanced_rules[0]: the table notes has no key", "id_columns: in the rule"}},
			"view without a key":  {rules: []map[string]any{queryOf("SELECT * FROM totals", "totals")}, says: []string{"the view totals has no key"}},
		} {
			t.Run(name, func(t *testing.T) {
				refuse(t, openSource(t, db.values(nil), ruleEnv(tt.rules...)).Validate(t.Context()), source.ErrConfig, tt.says...)
			})
		}
		// Where two columns have one name, the key is looked for when the query runs.
		d := openSource(t, db.values(nil), ruleEnv(queryOf("SELECT 1 AS a, 2 AS a", "orders")))
		if err := d.Validate(t.Context()); err != nil {
			t.Error(err)
		}
		refuse(t, sqltest.Read(t.Context(), list(t, d)[0]).Err, source.ErrConfig, `has no column "id"`)
		// The key that the connector declares for a table counts for its rules as well.
		env := ruleEnv(queryOf("SELECT * FROM notes", "notes"))
		env.IDColumns = map[string][]string{"notes": {"body"}}
		d = openSource(t, db.values(nil), env)
		if r := sqltest.Read(t.Context(), list(t, d)[0]); r.Err != nil || !slices.Equal(r.IDs, []string{"notes_x"}) {
			t.Errorf("got %v, %v", r.IDs, r.Err)
		}
	})
}

// TestValidateAsksTheServer: it says why it could not, and leaves no session behind.
func TestValidateAsksTheServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		rule := queryOf("SELECT * FROM orders", "orders")
		refuse(t, openSource(t, db.values(map[string]any{"password": "wrong"}), ruleEnv(rule)).Validate(t.Context()), source.ErrAuth, "check user and password")
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := openSource(t, db.values(nil), ruleEnv(rule)).Validate(over); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that is over: %v", err)
		}
		user, values := db.user()
		if err := openSource(t, values, ruleEnv(rule, rule)).Validate(t.Context()); err != nil {
			t.Error(err)
		}
		sqltest.Eventually(t, "no session is left", func() bool { return len(db.sessions(user, false)) == 0 })
	})
}

// TestRightsOfRules: a rule that may not be read fails alone; rights on its columns are enough.
func TestRightsOfRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		user, values := db.reader()
		db.exec("GRANT SELECT ON " + db.name + ".items TO " + user + "; GRANT SELECT (id, paid) ON " + db.name + ".orders TO " + user + "; GRANT INSERT ON " + db.name + ".customers TO " + user)
		d := openSource(t, values, ruleEnv(queryOf("SELECT * FROM customers, items", "items,customers"), queryOf("SELECT * FROM items", "items"), queryOf("SELECT id FROM orders WHERE paid", "orders")))
		if err := d.Validate(t.Context()); err != nil {
			t.Fatal(err)
		}
		parts := list(t, d)
		refuse(t, sqltest.Read(t.Context(), parts[0]).Err, source.ErrAuth, "customers+items, advanced_rules[0]", "command denied",
			"GRANT SELECT ON `"+db.name+"`.`customers` TO", "or remove advanced_rules[0]")
		for i, want := range map[int]int{1: 2, 2: 2} {
			if r := sqltest.Read(t.Context(), parts[i]); r.Err != nil || len(r.IDs) != want {
				t.Errorf("%s: %+v", parts[i].Name(), r)
			}
		}
	})
}

// TestRowsWithoutAKey: they are left out and said, and the others come.
func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		const query = "SELECT c.id AS c, o.id AS o FROM orders o LEFT JOIN customers c ON o.customer = c.id AND c.id = 1"
		d := openSource(t, db.values(nil), ruleEnv(queryOf(query, "orders", "c"), queryOf(query, "orders", "c", "o")))
		parts := list(t, d)
		got := sqltest.Read(t.Context(), parts[0])
		refuse(t, got.Err, source.ErrConfig, "orders, advanced_rules[0]: rows with NULL in every column of the key were left out: 1", "id_columns: in the rule")
		if len(got.IDs) != 2 {
			t.Errorf("got the ids %v", got.IDs)
		}
		if got = sqltest.Read(t.Context(), parts[1]); got.Err != nil || len(got.IDs) != 3 {
			t.Errorf("got the ids %v, %v", got.IDs, got.Err)
		}
	})
}

// TestRulesReadTheSnapshot of the run.
func TestRulesReadTheSnapshot(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		parts := list(t, openSource(t, db.values(nil), ruleEnv(queryOf("SELECT id FROM orders", "orders"))))
		db.exec("DELETE FROM orders WHERE id = 10")
		if r := sqltest.Read(t.Context(), parts[0]); r.Err != nil || len(r.IDs) != 3 {
			t.Errorf("%+v", r)
		}
	})
}
