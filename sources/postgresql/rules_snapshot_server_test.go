package postgresql

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func TestContractOfRules(t *testing.T) {
	db := shopDB(t)
	typ := Type
	typ.AdvancedRules = false // the rules of the environment are not used here
	rules := sqltest.RuleEnv(sqltest.QueryOf("SELECT * FROM orders", "orders"), sqltest.QueryOf("SELECT i.*, c.name FROM items i, customers c WHERE c.id = 1", "items,customers", "line"),
		sqltest.QueryOf("SELECT id + 100 AS id FROM orders", "orders"))
	wrong := sqltest.RuleEnv(sqltest.QueryOf("DELETE FROM orders", "orders"))
	typ.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		env.AdvancedRules = rules.AdvancedRules
		if slices.Contains(v.List("tables"), "wrong") {
			env.AdvancedRules = wrong.AdvancedRules
		}
		return Type.Open(ctx, v, env)
	}
	sourcetest.Run(t, sourcetest.Config{
		Type:   typ,
		Values: func(*testing.T) map[string]any { return db.values(nil) },
		Env:    source.Env{StallTimeout: sqltest.Patience},
		Broken: map[string]sourcetest.Broken{
			"password": {Values: db.values(map[string]any{"password": "wrong"}), Kind: source.ErrAuth},
			"query":    {Values: db.values(map[string]any{"tables": "wrong"}), Kind: source.ErrConfig},
			"schema":   {Values: db.values(map[string]any{"schema": "Other"}), Kind: source.ErrConfig},
		},
		FailingPart: func(t *testing.T) sourcetest.FailingPart {
			t.Helper()
			role, values := db.reader()
			db.exec("GRANT SELECT ON orders TO " + role)
			return sourcetest.FailingPart{Values: values, Scope: "public.customers+items", Kind: source.ErrAuth}
		},
		NoLoss:    "TestLossOfARule has it",
		NoContent: "a row is all fields",
	})
}

// TestRulesInTheSnapshot changes tables after the rules were listed: tables that the rule names, and one that only
// its query names.
func TestRulesInTheSnapshot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change string
		ids    []string // the numbers of the ids of base, and of further
		fails  string
	}{
		"rows":               {change: "DELETE FROM base WHERE id = 1; INSERT INTO base VALUES (4); UPDATE further SET id = 7", ids: []string{"1_5", "2_5"}},
		"truncated":          {change: "TRUNCATE base; INSERT INTO base VALUES (9)", ids: []string{"9_5"}},
		"rewritten":          {change: "VACUUM FULL base", ids: []string{"1_5", "2_5"}},
		"replaced":           {change: "DROP TABLE base CASCADE; CREATE TABLE base (id int PRIMARY KEY); INSERT INTO base VALUES (8)", ids: []string{"8_5"}},
		"dropped":            {change: "DROP TABLE base CASCADE", fails: "does not exist"},
		"further: truncated": {change: "TRUNCATE further; INSERT INTO further VALUES (6)", fails: "the table was rewritten since the run began"},
		"further: rewritten": {change: "VACUUM FULL further", fails: "the table was rewritten since the run began"},
		"further: replaced":  {change: "DROP TABLE further CASCADE; CREATE TABLE further (id int); CREATE VIEW v AS SELECT id FROM further", fails: "the table was rewritten since the run began"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			db.exec(`CREATE TABLE base (id int PRIMARY KEY); INSERT INTO base VALUES (1), (2); CREATE TABLE further (id int); INSERT INTO further VALUES (5);
				CREATE VIEW v AS SELECT id FROM further`)
			part := sqltest.List(t, openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT b.id AS b, v.id AS f FROM base b, v", "base", "b", "f"))))[0]
			db.exec(tt.change)
			got := sqltest.Read(t.Context(), part)
			if tt.fails != "" {
				sqltest.Refuse(t, got.Err, nil, "public.base, advanced_rules[0]", tt.fails)
				return
			}
			for i, id := range got.IDs {
				got.IDs[i] = strings.TrimPrefix(id, db.name+"_public_base_")
			}
			slices.Sort(got.IDs)
			if diff := cmp.Diff(tt.ids, got.IDs); diff != "" || got.Err != nil {
				t.Errorf("%v %s", got.Err, diff)
			}
		})
	}
}

// TestTruncatedWhileARuleWaits commits a TRUNCATE of a table that only the query names, while the statement already
// waits for it.
func TestTruncatedWhileARuleWaits(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("CREATE TABLE base (id int PRIMARY KEY); INSERT INTO base VALUES (1); CREATE TABLE further (id int); INSERT INTO further VALUES (5)")
	part := sqltest.List(t, openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT b.id FROM base b, further", "base"))))[0]
	err := db.readAfter(part, "TRUNCATE further; INSERT INTO further VALUES (6)")
	sqltest.Refuse(t, err, source.ErrTemporary, "rewritten since the run began")
}

// TestRowSecurityOfRules checks that a table named by the rule may hide rows from the role.
func TestRowSecurityOfRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set      string
		complete bool
	}{
		"none":            {set: "SELECT 1", complete: true},
		"of one":          {set: "ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON b USING (id < 9)"},
		"shows all":       {set: "ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON b USING (true)", complete: true},
		"shows all of a":  {set: "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (true); ALTER TABLE b ENABLE ROW LEVEL SECURITY"},
		"shows all of it": {set: "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (true); ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON b USING (true)", complete: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDB(t)
			role, values := db.reader()
			db.exec("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); GRANT SELECT ON a, b TO " + role)
			db.exec(tt.set)
			part := sqltest.List(t, openSource(t, values, sqltest.RuleEnv(sqltest.QueryOf("SELECT a.id, b.id FROM a LEFT JOIN b ON true", "a,b", "id"))))[0]
			got := sqltest.Read(t.Context(), part)
			if len(got.IDs) != 1 || tt.complete && got.Err != nil {
				t.Errorf("got %v, %v", got.IDs, got.Err)
			}
			if !tt.complete {
				sqltest.Refuse(t, got.Err, source.ErrAuth, "public.a+b, advanced_rules[0]: row security", `BYPASSRLS; or CREATE POLICY elastic_ingest ON "public"."a"`, `ON "public"."b"`, "or remove advanced_rules[0]")
			}
		})
	}
}

// TestLossOfARule checks that a query ends at the first loss, because it has no position to resume from.
func TestLossOfARule(t *testing.T) {
	t.Parallel()
	db := lossDB(t)
	d := openSource(t, db.values(map[string]any{"retry_count": 5}), sqltest.RuleEnv(sqltest.QueryOf("SELECT * FROM t", "t")))
	pauses := wayOf(d).NoPauses()
	times, err := sqltest.ReadWith(t, sqltest.List(t, d)[0], map[int]func(){5: func() { db.end(terminate, busy) }})
	sqltest.Refuse(t, err, source.ErrTemporary, "public.t, advanced_rules[0]: read rows")
	if pauses.Load() != 0 || len(times) == lossRows {
		t.Errorf("%d rows after %d pauses", len(times), pauses.Load())
	}
}

// TestRulesWithoutASnapshot checks that rules are read as of the moment each begins, if no snapshot can be shared.
func TestRulesWithoutASnapshot(t *testing.T) {
	t.Parallel()
	db := shopDB(t)
	adminExec(t, db.name, "REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC")
	parts := sqltest.List(t, openSource(t, db.values(nil), sqltest.RuleEnv(sqltest.QueryOf("SELECT id FROM orders", "orders"), sqltest.QueryOf("SELECT id FROM customers", "customers"))))
	db.exec("INSERT INTO orders VALUES (13); TRUNCATE customers; INSERT INTO customers VALUES (7)")
	got := map[string]int{}
	for _, p := range parts {
		r := sqltest.Read(t.Context(), p)
		if r.Err != nil {
			t.Error(r.Err)
		}
		got[p.Scope()] = len(r.IDs)
	}
	if want := map[string]int{"public.orders": 4, "public.customers": 1}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRulesWaitForSlowReadersAndEndWithThem checks that a query waits for a slow reader, and ends when the reader
// stops.
func TestRulesWaitForSlowReadersAndEndWithThem(t *testing.T) {
	t.Parallel()
	db := lossDB(t)
	for _, set := range []string{"statement_timeout = '50ms'", "idle_in_transaction_session_timeout = '50ms'"} {
		db.exec("ALTER ROLE " + quote.Ident(db.config.User) + " IN DATABASE " + db.name + " SET " + set)
	}
	rule := sqltest.QueryOf("SELECT * FROM t", "t")
	d := openSource(t, db.values(nil), sqltest.RuleEnv(rule))
	times, err := sqltest.ReadWith(t, sqltest.List(t, d)[0], map[int]func(){5: func() { db.stall(busy, "300 ms") }})
	if err != nil {
		t.Error(err)
	}
	sqltest.Once(t, times, lossRows)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	var last error
	for _, err := range sqltest.List(t, openSource(t, db.values(nil), sqltest.RuleEnv(rule)))[0].Documents(ctx) {
		last = err
		cancel()
	}
	if last == nil || time.Since(start) > sqltest.Patience {
		t.Errorf("after %v: %v", time.Since(start), last)
	}
}
