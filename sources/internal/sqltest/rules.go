package sqltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// RuleEnv is the environment with advanced rules, each from [QueryOf].
func RuleEnv(rules ...map[string]any) source.Env {
	list := []any{}
	for _, r := range rules {
		list = append(list, r)
	}
	return source.Env{AdvancedRules: list}
}

// QueryOf is an advanced rule: a query, its tables separated by commas, and optionally the columns of its ids.
func QueryOf(query, tables string, idColumns ...any) map[string]any {
	r, of := map[string]any{"query": query}, []any{}
	for t := range strings.SplitSeq(tables, ",") {
		of = append(of, t)
	}
	r["tables"] = of
	if idColumns != nil {
		r["id_columns"] = idColumns
	}
	return r
}

// List lists the parts of a source in their order.
func List(t testing.TB, s source.Source) (parts []source.Part) {
	t.Helper()
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	return parts
}

// Listed maps the scopes of a source to its parts.
func Listed(t testing.TB, s source.Source) map[string]source.Part {
	t.Helper()
	parts := map[string]source.Part{}
	for _, p := range List(t, s) {
		parts[p.Scope()] = p
	}
	return parts
}

// Names are the names of parts.
func Names(parts []source.Part) (names []string) {
	for _, p := range parts {
		names = append(names, p.Name())
	}
	return names
}

// RuleCase is a rule, the only one of a source, and the expected result: ids in their order, and the document of the
// first row.
type RuleCase struct {
	Rule  map[string]any
	Scope string
	IDs   []string
	Doc   string
}

// Check validates the rule and reads it.
func (c *RuleCase) Check(t *testing.T, open func(source.Env) source.Source) {
	t.Helper()
	s := open(RuleEnv(c.Rule))
	if err := Validate(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	parts := List(t, s)
	if len(parts) != 1 || parts[0].Scope() != c.Scope || parts[0].Name() != c.Scope+", advanced_rules[0]" {
		t.Fatalf("got the parts %q", Names(parts))
	}
	got := Read(t.Context(), parts[0])
	if diff := cmp.Diff(c.IDs, slices.Sorted(slices.Values(got.IDs))); diff != "" || got.Err != nil {
		t.Errorf("%v %s", got.Err, diff)
	}
	if len(got.Docs) == 0 || got.Docs[0] != c.Doc {
		t.Errorf("got  %v\nwant %s", got.Docs, c.Doc)
	}
}

// TablesOfRules checks that the fields that every document has list the tables of its rule, and determine the scope
// of the part. want has these fields for a rule of orders, and for one of orders and customers.
func TablesOfRules(t *testing.T, typ *source.Type, values map[string]any, open func(source.Env) source.Source, want [2]string) {
	t.Helper()
	for _, env := range Profiles {
		env.Encoding = ""
		env.AdvancedRules = RuleEnv(QueryOf("SELECT id FROM orders", "orders"), QueryOf("SELECT id FROM orders", "orders,customers")).AdvancedRules
		for i, p := range List(t, open(env)) {
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
				if scope, ok := typ.ScopeOf(Parse(t, typ, values), fields); !ok || scope != p.Scope() {
					t.Errorf("ScopeOf returns %q for %s", scope, encoded)
				}
			}
		}
	}
}

// RulesReplaceTables checks that no table of the list is read in addition to rules, and none of their names is
// reported missing. paid and unpaid are conditions in the database's SQL; scope is that of a table.
func RulesReplaceTables(t *testing.T, open func(tables string, env source.Env) source.Source, paid, unpaid string, scope func(table string) string) {
	t.Helper()
	log := &Logbook{}
	env := log.Env()
	env.AdvancedRules = RuleEnv(QueryOf("SELECT * FROM orders WHERE "+paid, "orders"), QueryOf("SELECT * FROM orders WHERE "+unpaid, "orders")).AdvancedRules
	parts := List(t, open("items,nosuch", env))
	want := []string{scope("orders") + ", advanced_rules[0]", scope("orders") + ", advanced_rules[1]"}
	if diff := cmp.Diff(want, Names(parts)); diff != "" || strings.Contains(log.String(), "WARN") {
		t.Errorf("logged %s; parts: %s", log, diff)
	}
	env.AdvancedRules = []any{}
	if parts := List(t, open("items", env)); len(parts) != 1 || parts[0].Name() != scope("items") {
		t.Errorf("no rules: got the parts %q", Names(parts))
	}
}

// validator is a source that can validate its rules.
type validator interface {
	Validate(ctx context.Context) error
}

// Validate validates the rules of a source.
func Validate(ctx context.Context, s source.Source) error {
	v, ok := s.(validator)
	if !ok {
		return fmt.Errorf("a %T does not check rules", s)
	}
	return v.Validate(ctx)
}

// RefusesQueries checks that validation refuses queries, each as a rule of orders after other rules: each with its
// own message, and with the words.
func RefusesQueries(t *testing.T, db *DB, before []map[string]any, queries map[string]string, words ...string) {
	t.Helper()
	for query, says := range queries {
		s := db.Open(nil, RuleEnv(append(slices.Clone(before), QueryOf(query, "orders"))...))
		where := fmt.Sprintf("%s, advanced_rules[%d]: query: ", db.Scope("orders"), len(before))
		Refuse(t, Validate(t.Context(), s), source.ErrConfig, append([]string{where, says}, words...)...)
	}
}

// Misfit is rules that do not fit the tables, and the expected message.
type Misfit struct {
	Set   map[string]any
	Rules []map[string]any
	Says  []string
}

// RulesThatDoNotFit checks that validation refuses the rules, and that a key that the connector declares for the
// table notes also applies to its rules.
func RulesThatDoNotFit(t *testing.T, db *DB, cases map[string]Misfit) {
	t.Helper()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			Refuse(t, Validate(t.Context(), db.Open(tt.Set, RuleEnv(tt.Rules...))), source.ErrConfig, tt.Says...)
		})
	}
	env := RuleEnv(QueryOf("SELECT * FROM notes", "notes"))
	env.IDColumns = map[string][]string{"notes": {"body"}}
	if r := Read(t.Context(), List(t, db.Open(nil, env))[0]); r.Err != nil || !slices.Equal(r.IDs, []string{db.ID("notes", "x")}) {
		t.Errorf("got %v, %v", r.IDs, r.Err)
	}
}

// ValidateAsksTheServer checks that validation reports why it failed, with hint for a wrong password, and leaves no
// session open. user opens the source as a user whose sessions are counted.
func ValidateAsksTheServer(t *testing.T, db *DB, hint string, user func(source.Env) source.Source, sessions func() int) {
	t.Helper()
	rule := QueryOf("SELECT * FROM orders", "orders")
	Refuse(t, Validate(t.Context(), db.Open(map[string]any{"password": "wrong"}, RuleEnv(rule))), source.ErrAuth, hint)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Validate(over, db.Open(nil, RuleEnv(rule))); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
	if err := Validate(t.Context(), user(RuleEnv(rule, rule))); err != nil {
		t.Error(err)
	}
	Eventually(t, "no session is left", func() bool { return sessions() == 0 })
}

// RightsOfRules checks that a rule without the right to read, the first of three, fails alone, with the words. The
// others have two rows each.
func RightsOfRules(t *testing.T, s source.Source, words ...string) {
	t.Helper()
	if err := Validate(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	parts := List(t, s)
	Refuse(t, Read(t.Context(), parts[0]).Err, source.ErrAuth, append(words, parts[0].Scope()+", advanced_rules[0]", "or remove advanced_rules[0]")...)
	for _, p := range parts[1:3] {
		if r := Read(t.Context(), p); r.Err != nil || len(r.IDs) != 2 {
			t.Errorf("%s: %+v", p.Name(), r)
		}
	}
}

// RowsWithoutAKey checks that rows without a key are skipped and reported, and the others are read. In one of the
// rows of the query, c is NULL.
func RowsWithoutAKey(t *testing.T, db *DB, query string, rows int) {
	t.Helper()
	parts := List(t, db.Open(nil, RuleEnv(QueryOf(query, "orders", "c"), QueryOf(query, "orders", "c", "o"))))
	got := Read(t.Context(), parts[0])
	Refuse(t, got.Err, source.ErrConfig, db.Scope("orders")+", advanced_rules[0]: rows with NULL in all key columns were skipped: 1", "in the rule's id_columns:")
	if len(got.IDs) != rows-1 {
		t.Errorf("got the ids %v", got.IDs)
	}
	if got = Read(t.Context(), parts[1]); got.Err != nil || len(got.IDs) != rows {
		t.Errorf("got the ids %v, %v", got.IDs, got.Err)
	}
}

// RulesReadTheSnapshot checks that a rule about the three orders reads the snapshot of the run.
func RulesReadTheSnapshot(t *testing.T, db *DB) {
	t.Helper()
	parts := List(t, db.Open(nil, RuleEnv(QueryOf("SELECT id FROM orders", "orders"))))
	db.Exec(fmt.Sprintf("DELETE FROM %s WHERE %s = 10", db.Table("orders"), db.Ident("id")))
	if r := Read(t.Context(), parts[0]); r.Err != nil || len(r.IDs) != 3 {
		t.Errorf("%+v", r)
	}
}
