package mssql

import (
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// shop creates customers and orders, both with the key id, and items with a key of two columns.
func (db *testDB) shop() {
	db.t.Helper()
	db.exec("CREATE TABLE customers (id int PRIMARY KEY, name nvarchar(50))", "INSERT INTO customers VALUES (1, N'Ann'), (2, N'Bob')",
		"CREATE TABLE orders (id int PRIMARY KEY, customer int, paid bit, price decimal(10,2), at datetime2(3), small money)",
		"INSERT INTO orders VALUES (10, 1, 1, 1234.5, '2024-01-02T03:04:05.5', 1.5), (11, 1, 0, -0.07, NULL, NULL), (12, 2, 1, 2, NULL, NULL)",
		"CREATE TABLE items (order_id int, line int, PRIMARY KEY (line, order_id))", "INSERT INTO items VALUES (10, 1), (10, 2)",
		"CREATE TABLE notes (body nvarchar(50))", "INSERT INTO notes VALUES (N'x')",
		"CREATE VIEW large AS SELECT id, price AS total FROM orders WHERE price > 100")
}

// fixture sets the response to a query that the database of mssqltest cannot compute. A real server computes it.
func (db *testDB) fixture(query, columns, rows string) {
	if db.here != nil && columns != "" {
		db.here.Fixture(query, columns, rows)
	}
}

// TestAdvancedRules uses a fixture as the response to queries with columns, unless the server is a real one.
func TestAdvancedRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule          map[string]any
		columns, rows string // of a fixture
		scope         string
		ids           []string
		doc           string // of the row that comes first
	}{
		"one table, with a semicolon": {
			rule:  sqltest.QueryOf("SELECT * FROM orders WHERE paid = 1 ORDER BY id; ", "orders"),
			scope: "dbo.orders", ids: []string{"orders_10", "orders_12"},
			doc: `{"dbo_orders_id":10,"dbo_orders_customer":1,"dbo_orders_paid":true,"dbo_orders_price":"1234.50","dbo_orders_at":"2024-01-02T03:04:05.5Z","dbo_orders_small":"1.5000"}`,
		},
		"join": {
			rule:    sqltest.QueryOf("SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer ORDER BY 1 -- all\n;", "orders,customers", "id", "name"),
			columns: "id int, name nvarchar(50)", rows: "(10, N'Ann'), (11, N'Ann'), (12, N'Bob')",
			scope: "dbo.customers+orders", ids: []string{"customers_orders_10_Ann", "customers_orders_11_Ann", "customers_orders_12_Bob"},
			doc: `{"dbo_customers_orders_id":10,"dbo_customers_orders_name":"Ann"}`,
		},
		"key by name, in a different case": {
			rule:    sqltest.QueryOf("WITH o AS (SELECT id + 0 AS ID, customer FROM orders) SELECT * FROM o ORDER BY 1", "dbo.orders"),
			columns: "ID int, customer int", rows: "(10, 1), (11, 1), (12, 2)",
			scope: "dbo.orders", ids: []string{"orders_10", "orders_11", "orders_12"},
			doc: `{"dbo_orders_id":10,"dbo_orders_customer":1}`,
		},
		"key of two columns, by name": {
			rule:  sqltest.QueryOf("SELECT order_id, line FROM items ORDER BY line", "items"),
			scope: "dbo.items", ids: []string{"items_1_10", "items_2_10"},
			doc: `{"dbo_items_order_id":10,"dbo_items_line":1}`,
		},
		"id_columns": {
			rule:  sqltest.QueryOf("SELECT name AS [Name], id AS number, 'x' AS k FROM customers ORDER BY id", "customers", "K", "number"),
			scope: "dbo.customers", ids: []string{"customers_x_1", "customers_x_2"},
			doc: `{"dbo_customers_name":"Ann","dbo_customers_number":1,"dbo_customers_k":"x"}`,
		},
		"duplicate names": {
			rule:  sqltest.QueryOf("SELECT 1 AS a, 2 AS a, 4 AS a_2", "notes", "a"),
			scope: "dbo.notes", ids: []string{"notes_1"},
			doc: `{"dbo_notes_a":1,"dbo_notes_a_3":2,"dbo_notes_a_2":4}`,
		},
		"a limit of its own": {
			rule:  sqltest.QueryOf("SELECT TOP (1) id FROM orders ORDER BY id DESC", "orders"),
			scope: "dbo.orders", ids: []string{"orders_12"},
			doc: `{"dbo_orders_id":12}`,
		},
		"view": {
			rule:  sqltest.QueryOf("SELECT id, total FROM large", "large", "id"),
			scope: "dbo.large", ids: []string{"large_10"},
			doc: `{"dbo_large_id":10,"dbo_large_total":"1234.50"}`,
		},
		"grouped, and a union": {
			rule:    sqltest.QueryOf("SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer UNION ALL SELECT 3, 0 ORDER BY 1", "orders", "customer"),
			columns: "customer int, n int", rows: "(1, 2), (2, 1), (3, 0)",
			scope: "dbo.orders", ids: []string{"orders_1", "orders_2", "orders_3"},
			doc: `{"dbo_orders_customer":1,"dbo_orders_n":2}`,
		},
		"characters with a special meaning elsewhere": {
			rule:  sqltest.QueryOf("SELECT 1 AS k, ':x ? @p1 $1' AS v", "notes", "k"),
			scope: "dbo.notes", ids: []string{"notes_1"},
			doc: `{"dbo_notes_k":1,"dbo_notes_v":":x ? @p1 $1"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.shop()
			db.fixture(strings.TrimRight(tt.rule["query"].(string), "; \n"), tt.columns, tt.rows)
			c := sqltest.RuleCase{Rule: tt.rule, Scope: tt.scope, Doc: tt.doc}
			for _, id := range tt.ids {
				c.IDs = append(c.IDs, db.name+"_dbo_"+id)
			}
			c.Check(t, func(env source.Env) source.Source { return openSource(t, db.values(nil), env) })
		})
	}
}

// TestTablesOfRules checks that the field that every document has lists the tables, and determines the scope of the
// part.
func TestTablesOfRules(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	values := db.values(nil)
	sqltest.TablesOfRules(t, &Type, values, func(env source.Env) source.Source { return openSource(t, values, env) }, [2]string{`able":["orders"],`, `able":["customers","orders"],`})
}

// TestRulesReplaceTables checks that rules replace the table list: its tables are not read, and its names are not
// reported missing.
func TestRulesReplaceTables(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	sqltest.RulesReplaceTables(t, func(tables string, env source.Env) source.Source {
		return openSource(t, db.values(map[string]any{"tables": tables}), env)
	}, "paid = 1", "paid = 0", func(table string) string { return "dbo." + table })
}

// TestQueriesThatCouldWriteAreRefused checks that a statement that could write, or is not one query, is refused when
// it is validated and when it is read.
func TestQueriesThatCouldWriteAreRefused(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	for _, query := range []string{
		"DELETE FROM orders",
		"UPDATE orders SET paid = 1",
		"WITH c AS (SELECT 1 AS a) DELETE FROM orders",
		"SELECT * FROM orders; DELETE FROM orders",
		"SELECT * FROM orders DELETE FROM orders",
		"SELECT * FROM orders SELECT 1",
		"SELECT id INTO elsewhere FROM orders",
		"EXEC sp_who",
		"sp_who",
		"DROP TABLE orders",
		"-- nothing",
		"COMMIT",
		"SET NOCOUNT ON",
		"DECLARE @x int; SELECT @x",
		"MERGE orders AS o USING customers AS c ON 1 = 0 WHEN NOT MATCHED THEN INSERT (id) VALUES (1);",
		"TRUNCATE TABLE orders",
		"KILL 1",
		"WAITFOR DELAY '1'",
	} {
		d := openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT id FROM orders", "orders"), sqltest.QueryOf(query, "orders")))
		sqltest.Refuse(t, d.Validate(t.Context()), source.ErrConfig, "dbo.orders, advanced_rules[1]: query: ", "write one SELECT or WITH statement that only reads")
		sqltest.Refuse(t, sqltest.Read(t.Context(), sqltest.List(t, d)[1]).Err, source.ErrConfig, "dbo.orders, advanced_rules[1]: query: ", "write one SELECT or WITH statement that only reads")
	}
	sqltest.RefusesQueries(t, db.shared(), nil, map[string]string{
		"SELECT * FROM nosuch":        "nvalid object name 'nosuch'",
		"SELECT nosuch FROM orders":   "nvalid column name 'nosuch'",
		"SELECT nosuch() AS id":       "nosuch",
		"SELECT id FROM (SELECT 1":    "ncorrect syntax",
		"SELECT customer FROM orders": `lacks column "id" of the key of dbo.orders`,
		"SELECT CONVERT(varchar(9), N'x') COLLATE Latin1_General_100_CI_AS_SC_UTF8 AS id": "which can be read only as nvarchar",
	})
	n := 0
	if err := db.pool.QueryRowContext(t.Context(), "SELECT COUNT_BIG(*) FROM orders").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d orders are left, %v", n, err)
	}
}

// TestRulesThatDoNotFit has rules whose tables do not exist, or whose results lack the key.
func TestRulesThatDoNotFit(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	db.exec("CREATE SCHEMA other", "CREATE TABLE other.items (id int PRIMARY KEY)")
	const both = "SELECT o.id, n.body FROM orders o CROSS JOIN notes n"
	db.fixture(both, "id int, body nvarchar(50)", "(10, N'x')")
	all := "SELECT * FROM orders"
	sqltest.RulesThatDoNotFit(t, db.shared(), map[string]sqltest.Misfit{
		"unknown tables":      {Rules: []map[string]any{sqltest.QueryOf(all, "zebra,orders"), sqltest.QueryOf(all, "apple,zebra,Orders")}, Says: []string{"advanced_rules: there is no table apple, zebra in schema"}},
		"of another schema":   {Rules: []map[string]any{sqltest.QueryOf(all, "elsewhere.customers")}, Says: []string{"there is no table elsewhere.customers in schema"}},
		"of several schemas":  {Set: map[string]any{"schema": "*"}, Rules: []map[string]any{sqltest.QueryOf(all, "items")}, Says: []string{`advanced_rules[0].tables[0]: "items" is in several schemas`, "write dbo.items or other.items"}},
		"id column is absent": {Rules: []map[string]any{sqltest.QueryOf("SELECT id, paid FROM orders", "orders", "id", "nosuch")}, Says: []string{`dbo.orders, advanced_rules[0]: id_columns: the result of the query has no column "nosuch"`, "it has id, paid"}},
		"no key":              {Rules: []map[string]any{sqltest.QueryOf(both, "orders,notes")}, Says: []string{"dbo.notes+orders, advanced_rules[0]: the table dbo.notes has no key", "in the rule's id_columns:"}},
		"view without a key":  {Rules: []map[string]any{sqltest.QueryOf("SELECT * FROM large", "large")}, Says: []string{"the view dbo.large has no key"}},
	})
}

// TestValidateAsksTheServer checks that validation reports why it failed, and leaves no session open.
func TestValidateAsksTheServer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	user, values := db.user()
	sqltest.ValidateAsksTheServer(t, db.shared(), "check username and password", func(env source.Env) source.Source {
		return openSource(t, values, env)
	}, func() int { return len(db.sessions(user, false)) })
}

// TestRightsOfRules checks that a rule without the right to read fails alone, and that rights on its columns are
// enough.
func TestRightsOfRules(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	user, values := db.reader()
	db.exec("GRANT SELECT ON items TO "+user, "GRANT SELECT ON orders (id, paid) TO "+user, "GRANT INSERT ON customers TO "+user)
	rules := sqltest.RuleEnv(sqltest.QueryOf("SELECT id FROM customers", "customers"), sqltest.QueryOf("SELECT * FROM items", "items"), sqltest.QueryOf("SELECT id FROM orders WHERE paid = 1", "orders"))
	sqltest.RightsOfRules(t, openSource(t, values, rules), "permission was denied", "GRANT SELECT ON [dbo].[customers] TO")
}

// TestRowsWithoutAKey checks that rows without a key are skipped and reported, and the others are read. The rows are
// a fixture unless the server is a real one.
func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	const query = "SELECT c.id AS c, o.id AS o FROM orders o LEFT JOIN customers c ON o.customer = c.id AND c.id = 1"
	db.fixture(query, "c int, o int", "(1, 10), (1, 11), (NULL, 12)")
	sqltest.RowsWithoutAKey(t, db.shared(), query, 3)
}

// TestRulesReadTheSnapshot checks that rules read the snapshot of the run.
func TestRulesReadTheSnapshot(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.shop()
	sqltest.RulesReadTheSnapshot(t, db.shared())
}

// TestRulesOfTwoResults checks that a rule with two results is refused when it is read: the server may see two
// statements in a text that looks like one. The server of mssqltest responds in that way.
func TestRulesOfTwoResults(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	db.shop()
	const query = "SELECT id FROM twice()"
	db.fixture(query, "id int", "(1)")
	one := tdstest.Result{Columns: []tdstest.Column{{Name: "id", Type: tdstest.Int}}, Rows: [][]any{{1}}}
	two := one
	two.Next = &one
	db.here.TDS().Handle(func(st tdstest.Statement) (tdstest.Result, bool) { return two, st.SQL == query })
	r := sqltest.Read(t.Context(), sqltest.List(t, openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf(query, "orders"))))[0])
	sqltest.Refuse(t, r.Err, source.ErrConfig, "dbo.orders, advanced_rules[0]", "more than one statement")
}
