package mysql

import (
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// shop creates customers and orders, both with the key id, and items with a key of two columns.
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
		for name, tt := range map[string]sqltest.RuleCase{
			"one table, with a semicolon": {
				Rule:  sqltest.QueryOf("SELECT * FROM orders WHERE paid ORDER BY id; ", "orders"),
				Scope: "orders", IDs: []string{"orders_10", "orders_12"},
				Doc: `{"id_":10,"customer":1,"paid":1,"price":"1234.50","at":"2024-01-02T03:04:05.5Z","big":"5","flags":5,"tags":["a","b"],"place":{"type":"Point","coordinates":[1.0,2.0]}}`,
			},
			"join": {
				Rule:  sqltest.QueryOf("SELECT o.id, c.name, c.id FROM orders o JOIN customers c ON c.id = o.customer ORDER BY 1 -- all\n;", "orders,customers", "id", "name"),
				Scope: "customers+orders", IDs: []string{"customers_orders_10_Ann", "customers_orders_11_Ann", "customers_orders_12_Bob"},
				Doc: `{"id_":10,"name":"Ann","id_2":1}`,
			},
			"key by name, in a different case": {
				Rule:  sqltest.QueryOf("WITH o AS (SELECT id + 0 AS `ID`, customer FROM orders) SELECT * FROM o ORDER BY 1", db.name+".orders"),
				Scope: "orders", IDs: []string{"orders_10", "orders_11", "orders_12"},
				Doc: `{"ID":10,"customer":1}`,
			},
			"key of two columns, by name": {
				Rule:  sqltest.QueryOf("SELECT order_id, line FROM items ORDER BY line", "items"),
				Scope: "items", IDs: []string{"items_1_10", "items_2_10"},
				Doc: `{"order_id":10,"line":1}`,
			},
			"id_columns": {
				Rule:  sqltest.QueryOf("SELECT name AS `Name`, id AS number, 'x' AS k FROM customers ORDER BY id", "customers", "K", "number"),
				Scope: "customers", IDs: []string{"customers_x_1", "customers_x_2"},
				Doc: `{"Name":"Ann","number":1,"k":"x"}`,
			},
			"duplicate names": {
				Rule:  sqltest.QueryOf("SELECT 1 AS a, 2 AS a, 3 AS `A`, 4 AS a_2", "notes", "a"),
				Scope: "notes", IDs: []string{"notes_1"},
				Doc: `{"a":1,"a_3":2,"A":3,"a_2":4}`,
			},
			"a limit of its own, and no name": {
				Rule:  sqltest.QueryOf("SELECT id, '' FROM orders ORDER BY id DESC LIMIT 1", "orders"),
				Scope: "orders", IDs: []string{"orders_12"},
				Doc: `{"id_":12,"_col2":""}`,
			},
			"view": {
				Rule:  sqltest.QueryOf("SELECT * FROM totals ORDER BY customer LIMIT 1", "totals", "customer"),
				Scope: "totals", IDs: []string{"totals_1"},
				Doc: `{"customer":1,"total":"1234.43"}`,
			},
			"grouped, and a union": {
				Rule:  sqltest.QueryOf("SELECT customer, count(*) AS n FROM orders GROUP BY 1 UNION SELECT 3, 0 ORDER BY 1", "orders", "customer"),
				Scope: "orders", IDs: []string{"orders_1", "orders_2", "orders_3"},
				Doc: `{"customer":1,"n":2}`,
			},
			"a parenthesis": {
				Rule:  sqltest.QueryOf("(SELECT 1 AS k, ':x ?' AS v)", "notes", "k"),
				Scope: "notes", IDs: []string{"notes_1"},
				Doc: `{"k":1,"v":":x ?"}`,
			},
		} {
			t.Run(name, func(t *testing.T) {
				tt.Check(t, func(env source.Env) source.Source { return openSource(t, db.values(nil), env) })
			})
		}
	})
}

// TestTablesOfRules checks that the field that every document has lists the tables as they are written, and
// determines the scope of the part.
func TestTablesOfRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		values := db.values(nil)
		sqltest.TablesOfRules(t, &Type, values, func(env source.Env) source.Source { return openSource(t, values, env) }, [2]string{`able":["orders"],`, `able":["orders","customers"],`})
	})
}

// TestRulesReplaceTables checks that rules replace the table list: its tables are not read, and its names are not
// reported missing.
func TestRulesReplaceTables(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		sqltest.RulesReplaceTables(t, func(tables string, env source.Env) source.Source {
			return openSource(t, db.values(map[string]any{"tables": tables}), env)
		}, "paid", "NOT paid", func(table string) string { return table })
	})
}

// TestQueriesThatCouldWriteAreRefused checks that validation refuses a statement that could write, or is not one
// query.
func TestQueriesThatCouldWriteAreRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		db.exec("CREATE TABLE ran (n int); CREATE FUNCTION f() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO ran VALUES (1); RETURN 1; END")
		sqltest.RefusesQueries(t, db.shared(), []map[string]any{sqltest.QueryOf("SELECT id FROM orders", "orders")}, map[string]string{
			"DELETE FROM orders":                           "",
			"UPDATE orders SET paid = true":                "",
			"WITH c AS (SELECT 1) DELETE FROM orders":      "",
			"SELECT * FROM orders; DELETE FROM orders":     "",
			"SELECT * FROM orders; SELECT 1":               "",
			"SELECT id INTO OUTFILE '/tmp/x' FROM orders":  "",
			"SELECT id FROM orders INTO DUMPFILE '/tmp/x'": "",
			"SELECT id INTO @x FROM orders LIMIT 1":        "",
			"CREATE TABLE x AS SELECT 1":                   "",
			"SHOW TABLES":                                  "",
			"EXPLAIN SELECT f()":                           "",
			"SELECT id, f() FROM orders":                   "",
			"CALL nosuch()":                                "",
			"HANDLER orders OPEN":                          "",
			"SELECT * FROM (SELECT 1":                      "",
			"SELECT 1) OR EXISTS (SELECT 1":                "",
			"-- nothing":                                   "",
			"COMMIT":                                       "",
			"SET @x = 1":                                   "",
			"ANALYZE TABLE orders":                         "",
		}, "write one SELECT or WITH statement that only reads")
		sqltest.RefusesQueries(t, db.shared(), nil, map[string]string{
			"SELECT * FROM nosuch":              "nosuch' doesn't exist",
			"SELECT nosuch FROM orders":         "Unknown column 'nosuch'",
			"SELECT nosuch()":                   "nosuch does not exist",
			"SELECT * FROM orders WHERE id = ?": "the query has a parameter",
			"SELECT customer FROM orders":       `lacks column "id" of the key of orders`,
		})
		if n, ran := db.number("SELECT count(*) FROM orders"), db.number("SELECT count(*) FROM ran"); n != 3 || ran != 0 {
			t.Errorf("%d orders are left, and a query ran %d times", n, ran)
		}
		// Writes that only show when the query runs are refused by the transaction.
		for _, query := range []string{"SELECT id, f() FROM orders", "SELECT id FROM orders FOR UPDATE"} {
			d := openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf(query, "orders")))
			sqltest.Refuse(t, sqltest.Read(t.Context(), sqltest.List(t, d)[0]).Err, source.ErrConfig, "orders, advanced_rules[0]: ", "READ ONLY transaction", "only reads")
		}
		// Validating a slow query takes no time.
		d := openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT id, SLEEP(3600) AS s FROM orders ORDER BY s", "orders")))
		start := time.Now()
		if err := d.Validate(t.Context()); err != nil || time.Since(start) > sqltest.Patience {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestRulesThatDoNotFit has rules whose tables do not exist, or whose results lack the key.
func TestRulesThatDoNotFit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		all := "SELECT * FROM orders"
		sqltest.RulesThatDoNotFit(t, db.shared(), map[string]sqltest.Misfit{
			"unknown tables":      {Rules: []map[string]any{sqltest.QueryOf(all, "zebra,orders"), sqltest.QueryOf(all, "apple,zebra,Orders")}, Says: []string{"advanced_rules: there is no table Orders, apple, zebra in database"}},
			"of another database": {Rules: []map[string]any{sqltest.QueryOf(all, "elsewhere.customers")}, Says: []string{"there is no table elsewhere.customers in database"}},
			"id column is absent": {Rules: []map[string]any{sqltest.QueryOf("SELECT id, paid FROM orders", "orders", "id", "nosuch")}, Says: []string{`orders, advanced_rules[0]: id_columns: the result of the query has no column "nosuch"`, "it has id, paid"}},
			"no key":              {Rules: []map[string]any{sqltest.QueryOf("SELECT * FROM orders, notes", "orders,notes")}, Says: []string{"notes+orders, advanced_rules[0]: the table notes has no key", "in the rule's id_columns:"}},
			"view without a key":  {Rules: []map[string]any{sqltest.QueryOf("SELECT * FROM totals", "totals")}, Says: []string{"the view totals has no key"}},
		})
		// If two columns have the same name, the key is looked up when the query runs.
		d := openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT 1 AS a, 2 AS a", "orders")))
		if err := d.Validate(t.Context()); err != nil {
			t.Error(err)
		}
		sqltest.Refuse(t, sqltest.Read(t.Context(), sqltest.List(t, d)[0]).Err, source.ErrConfig, `lacks column "id"`)
	})
}

// TestValidateAsksTheServer checks that validation reports why it failed, and leaves no session open.
func TestValidateAsksTheServer(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		user, values := db.user()
		sqltest.ValidateAsksTheServer(t, db.shared(), "check user and password", func(env source.Env) source.Source {
			return openSource(t, values, env)
		}, func() int { return len(db.sessions(user, false)) })
	})
}

// TestRightsOfRules checks that a rule without the right to read fails alone, and that rights on its columns are
// enough.
func TestRightsOfRules(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		user, values := db.reader()
		db.exec("GRANT SELECT ON " + db.name + ".items TO " + user + "; GRANT SELECT (id, paid) ON " + db.name + ".orders TO " + user + "; GRANT INSERT ON " + db.name + ".customers TO " + user)
		rules := sqltest.RuleEnv(sqltest.QueryOf("SELECT * FROM customers, items", "items,customers"), sqltest.QueryOf("SELECT * FROM items", "items"), sqltest.QueryOf("SELECT id FROM orders WHERE paid", "orders"))
		sqltest.RightsOfRules(t, openSource(t, values, rules), "command denied", "GRANT SELECT ON `"+db.name+"`.`customers` TO")
	})
}

// TestRowsWithoutAKey checks that rows without a key are skipped and reported, and the others are read.
func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		const query = "SELECT c.id AS c, o.id AS o FROM orders o LEFT JOIN customers c ON o.customer = c.id AND c.id = 1"
		sqltest.RowsWithoutAKey(t, db.shared(), query, 3)
	})
}

// TestRulesReadTheSnapshot checks that rules read the snapshot of the run.
func TestRulesReadTheSnapshot(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.shop()
		sqltest.RulesReadTheSnapshot(t, db.shared())
	})
}
