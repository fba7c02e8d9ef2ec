package postgresql

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// shopDB has customers and orders, both with the key id, and items with one of two columns.
func shopDB(t testing.TB) *testDB {
	t.Helper()
	db := newDB(t)
	db.exec(`CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
		CREATE TABLE orders (id int PRIMARY KEY, customer int, paid boolean, price money, shares money[]);
		INSERT INTO orders VALUES (10, 1, true, 1234.5, '{1.5,NULL}'), (11, 1, false, -0.07, '{}'), (12, 2, true, 2, NULL);
		CREATE TABLE items (order_id int, line int, PRIMARY KEY (line, order_id)); INSERT INTO items VALUES (10, 1), (10, 2);
		CREATE TABLE notes (body text); INSERT INTO notes VALUES ('x');
		CREATE VIEW totals AS SELECT customer, sum(price) AS total FROM orders GROUP BY customer;
		CREATE SCHEMA "Other"; CREATE TABLE "Other".customers (id int PRIMARY KEY); INSERT INTO "Other".customers VALUES (5)`)
	return db
}

func TestAdvancedRules(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	set := map[string]map[string]any{"several schemas": {"schema": `public,"Other"`}}
	for name, tt := range map[string]sqltest.RuleCase{
		"one table": {
			Rule:  sqltest.QueryOf("SELECT * FROM orders WHERE paid ORDER BY id; ", "orders"),
			Scope: "public.orders", IDs: []string{"public_orders_10", "public_orders_12"},
			Doc: `{"public_orders_id":10,"public_orders_customer":1,"public_orders_paid":true,"public_orders_price":"1234.50","public_orders_shares":["1.50",null]}`,
		},
		"key of one table under another name": {
			Rule:  sqltest.QueryOf("SELECT price AS id, id AS number FROM orders ORDER BY number", "public.orders"),
			Scope: "public.orders", IDs: []string{"public_orders_10", "public_orders_11", "public_orders_12"},
			Doc: `{"public_orders_id":"1234.50","public_orders_number":10}`,
		},
		"join": {
			Rule:  sqltest.QueryOf("SELECT o.id, c.name, c.id FROM orders o JOIN customers c ON c.id = o.customer ORDER BY 1 -- all\n;", "orders,customers"),
			Scope: "public.customers+orders", IDs: []string{"public_customers_orders_1_10", "public_customers_orders_1_11", "public_customers_orders_2_12"},
			Doc: `{"public_customers_orders_id":10,"public_customers_orders_name":"Ann","public_customers_orders_id_2":1}`,
		},
		"key by name": {
			Rule:  sqltest.QueryOf("WITH o AS (SELECT id + 0 AS \"ID\", customer FROM orders) SELECT * FROM o ORDER BY 1", "orders"),
			Scope: "public.orders", IDs: []string{"public_orders_10", "public_orders_11", "public_orders_12"},
			Doc: `{"public_orders_id":10,"public_orders_customer":1}`,
		},
		"key of two columns": {
			Rule:  sqltest.QueryOf("SELECT * FROM items ORDER BY line", "items"),
			Scope: "public.items", IDs: []string{"public_items_1_10", "public_items_2_10"},
			Doc: `{"public_items_order_id":10,"public_items_line":1}`,
		},
		"id_columns": {
			Rule:  sqltest.QueryOf("SELECT name AS \"Name\", id AS name, 'x' AS k FROM customers ORDER BY id", "customers", "K", "name"),
			Scope: "public.customers", IDs: []string{"public_customers_x_1", "public_customers_x_2"},
			Doc: `{"public_customers_name":"Ann","public_customers_name_2":1,"public_customers_k":"x"}`,
		},
		"duplicate names": {
			Rule:  sqltest.QueryOf("SELECT 1 AS a, 2 AS a, 3 AS \"A\", 4 AS a_2", "notes", "a"),
			Scope: "public.notes", IDs: []string{"public_notes_1"},
			Doc: `{"public_notes_a":1,"public_notes_a_3":2,"public_notes_a_4":3,"public_notes_a_2":4}`,
		},
		"view": {
			Rule:  sqltest.QueryOf("TABLE totals ORDER BY customer LIMIT 1", "totals", "customer"),
			Scope: "public.totals", IDs: []string{"public_totals_1"},
			Doc: `{"public_totals_customer":1,"public_totals_total":"1234.43"}`,
		},
		"grouped": {
			Rule:  sqltest.QueryOf("SELECT customer, count(*) AS n FROM orders GROUP BY 1 UNION SELECT 3, 0 ORDER BY 1", "orders", "customer"),
			Scope: "public.orders", IDs: []string{"public_orders_1", "public_orders_2", "public_orders_3"},
			Doc: `{"public_orders_customer":1,"public_orders_n":2}`,
		},
		"values": {
			Rule:  sqltest.QueryOf("(VALUES (1, ':x'), (2, NULL))", "notes", "column1"),
			Scope: "public.notes", IDs: []string{"public_notes_1", "public_notes_2"},
			Doc: `{"public_notes_column1":1,"public_notes_column2":":x"}`,
		},
		"money as a key": {
			Rule:  sqltest.QueryOf("SELECT 1234.5::money AS m, '{1234.5,NULL}'::money[] AS a", "notes", "m", "a"),
			Scope: "public.notes", IDs: []string{"public_notes_1234.50_{1234.50,NULL}"},
			Doc: `{"public_notes_m":"1234.50","public_notes_a":["1234.50",null]}`,
		},
		"several schemas": {
			Rule:  sqltest.QueryOf(`SELECT o.id, c.name FROM "Other".customers o, customers c WHERE c.id = 1`, `orders,"Other".customers`, "id"),
			Scope: "Other+public.customers+orders", IDs: []string{"Other_public_customers_orders_5"},
			Doc: `{"other_public_customers_orders_id":5,"other_public_customers_orders_name":"Ann"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range tt.IDs {
				tt.IDs[i] = db.name + "_" + tt.IDs[i]
			}
			tt.Check(t, func(env source.Env) source.Source { return openSource(t, db.values(set[name]), env) })
		})
	}
}

// TestTablesOfRules checks the fields that every document has, and that they determine the scope of the part.
func TestTablesOfRules(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	values := db.values(nil)
	sqltest.TablesOfRules(t, &Type, values, func(env source.Env) source.Source { return openSource(t, values, env) }, [2]string{`able":["orders"],`, `able":["customers","orders"],`})
}

// TestRulesReplaceTables checks that rules replace the table list: its tables are not read, and its names are not
// reported missing.
func TestRulesReplaceTables(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	sqltest.RulesReplaceTables(t, func(tables string, env source.Env) source.Source {
		return openSource(t, db.values(map[string]any{"tables": tables}), env)
	}, "paid", "NOT paid", func(table string) string { return "public." + table })
}

// TestQueriesThatCouldWriteAreRefused checks that validation refuses a statement that could write, or is not one
// query.
func TestQueriesThatCouldWriteAreRefused(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	db.exec("CREATE SEQUENCE ran; CREATE FUNCTION f() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT nextval('ran')::int $$")
	const reads = "write one SELECT, WITH, TABLE or VALUES statement that only reads"
	sqltest.RefusesQueries(t, db.shared(), []map[string]any{sqltest.QueryOf("SELECT id, f() FROM orders", "orders")}, map[string]string{
		"DELETE FROM orders":                                               `syntax error at or near "DELETE"`,
		"UPDATE orders SET paid = true RETURNING *":                        `syntax error at or near "UPDATE"`,
		"WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone": "data-modifying statements in WITH",
		"SELECT * FROM orders; DELETE FROM orders":                         "cannot insert multiple commands",
		"SELECT * FROM orders; SELECT 1":                                   "cannot insert multiple commands",
		"SELECT * INTO copy FROM orders":                                   "INTO is not allowed here",
		"SELECT * FROM orders FOR UPDATE":                                  "FOR UPDATE is not valid",
		"CREATE TABLE x AS SELECT 1":                                       `syntax error at or near "CREATE"`,
		"SHOW ALL":                                                         `syntax error at or near "SHOW"`,
		"EXPLAIN ANALYZE SELECT f()":                                       `syntax error at or near "EXPLAIN"`,
		"COPY orders TO STDOUT":                                            `syntax error at or near "COPY"`,
		"SELECT * FROM (SELECT 1":                                          "syntax error at end of input",
		"-- nothing\n":                                                     "syntax error at end of input",
		"COMMIT; DROP TABLE orders":                                        `syntax error at or near "COMMIT"`,
	}, reads)
	sqltest.RefusesQueries(t, db.shared(), nil, map[string]string{
		"SELECT * FROM nosuch":               `relation "nosuch" does not exist`,
		"SELECT nosuch FROM orders":          `column "nosuch" does not exist`,
		"SELECT * FROM orders WHERE id = $1": "the query has a parameter, $1",
		"SELECT customer FROM orders":        `lacks column "id" of the key of public.orders`,
		"SELECT":                             `lacks column "id"`,
	})
	var n, last int
	row := db.session().QueryRow(t.Context(), "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM ran WHERE is_called)")
	if err := row.Scan(&n, &last); err != nil || n != 3 || last != 0 {
		t.Errorf("%d orders are left, and a query ran %d times: %v", n, last, err)
	}
	// Writes that only show when the query runs are refused by the transaction.
	d := openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT id, f() FROM orders", "orders")))
	if err := d.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	sqltest.Refuse(t, sqltest.Read(t.Context(), sqltest.List(t, d)[0]).Err, source.ErrConfig, "public.orders, advanced_rules[0]: read rows: cannot execute nextval() in a read-only transaction", "only reads")
}

// TestRulesThatDoNotFit has rules whose tables do not exist, or whose results lack the key.
func TestRulesThatDoNotFit(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	all := "SELECT * FROM orders"
	sqltest.RulesThatDoNotFit(t, db.shared(), map[string]sqltest.Misfit{
		"unknown tables":      {Rules: []map[string]any{sqltest.QueryOf(all, "zebra,orders"), sqltest.QueryOf(all, "apple,zebra,Orders")}, Says: []string{"advanced_rules: there is no table Orders, apple, zebra in schema public"}},
		"of another schema":   {Rules: []map[string]any{sqltest.QueryOf(all, "Other.customers")}, Says: []string{"there is no table Other.customers in schema public", "add the schema to schema:"}},
		"in several schemas":  {Set: map[string]any{"schema": "*"}, Rules: []map[string]any{sqltest.QueryOf(all, "orders,customers")}, Says: []string{`advanced_rules[0].tables[1]: "customers" is in several schemas`, "write Other.customers or public.customers"}},
		"id column is absent": {Rules: []map[string]any{sqltest.QueryOf(all, "orders", "id", "nosuch")}, Says: []string{`public.orders, advanced_rules[0]: id_columns: the result of the query has no column "nosuch"`, "it has id, customer, paid, price, shares"}},
		"no key":              {Rules: []map[string]any{sqltest.QueryOf("SELECT * FROM orders, notes", "orders,notes")}, Says: []string{"public.notes+orders, advanced_rules[0]: the table public.notes has no key", "in the rule's id_columns:"}},
		"view without a key":  {Rules: []map[string]any{sqltest.QueryOf("TABLE totals", "totals")}, Says: []string{"the view public.totals has no key"}},
	})
}

// TestValidateAsksTheServer checks that validation reports why it failed, and leaves no session open.
func TestValidateAsksTheServer(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	sqltest.ValidateAsksTheServer(t, db.shared(), "check username and password", func(env source.Env) source.Source {
		return openSource(t, db.values(nil), env)
	}, func() int { return active(t, db) })
}

// TestRightsOfRules checks that a rule without the right to read fails alone, and that rights on its columns are
// enough.
func TestRightsOfRules(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	role, values := db.reader()
	db.exec("GRANT SELECT ON items TO " + role + "; GRANT SELECT (id, paid) ON orders TO " + role)
	env := sqltest.RuleEnv(sqltest.QueryOf("SELECT * FROM customers, items", "items,customers"), sqltest.QueryOf("TABLE items", "items"), sqltest.QueryOf("SELECT id FROM orders WHERE paid", "orders"),
		sqltest.QueryOf(`SELECT * FROM "Other".customers`, "items"))
	d := openSource(t, values, env)
	sqltest.RightsOfRules(t, d, "permission denied for table customers", `GRANT SELECT ON "public"."customers" TO`)
	sqltest.Refuse(t, sqltest.Read(t.Context(), sqltest.List(t, d)[3]).Err, source.ErrAuth, "permission denied for schema Other", `GRANT USAGE ON SCHEMA "Other" TO `+role+"; or remove advanced_rules[3]")
}

// TestRowsWithoutAKey checks that rows without a key are skipped and reported, and the others are read.
func TestRowsWithoutAKey(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	sqltest.RowsWithoutAKey(t, db.shared(), "SELECT c.id AS c, o.id AS o FROM customers c FULL JOIN orders o ON o.customer = c.id AND c.id = 1", 4)
}
