package sqltest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// RuleEnv is the environment of advanced rules, each as [QueryOf] makes it.
func RuleEnv(rules ...map[string]any) source.Env {
	list := []any{}
	for _, r := range rules {
		list = append(list, r)
	}
	return source.Env{AdvancedRules: list}
}

// QueryOf is an advanced rule: a query, its tables between commas, and perhaps the columns of its ids.
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

// List is the parts of a source in their order.
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

// Listed is the parts of a source by their scopes.
func Listed(t testing.TB, s source.Source) map[string]source.Part {
	t.Helper()
	parts := map[string]source.Part{}
	for _, p := range List(t, s) {
		parts[p.Scope()] = p
	}
	return parts
}

// Names are those of parts.
func Names(parts []source.Part) (names []string) {
	for _, p := range parts {
		names = append(names, p.Name())
	}
	return names
}

// RuleCase is a rule, the only one of a source, and what is read of it: ids in their order, and the document of the row
// that comes first.
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
	v, ok := s.(interface {
		Validate(ctx context.Context) error
	})
	if !ok {
		t.Fatal("the source does not check rules")
	}
	if err := v.Validate(t.Context()); err != nil {
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

// TablesOfRules checks that the fields which every document has list the tables of its rule, and tell the scope of the
// part. want is what documents of the rules have, one of orders and one of orders and customers.
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
					t.Errorf("ScopeOf tells %q of %s", scope, encoded)
				}
			}
		}
	}
}

// RulesReplaceTables checks that no table of the list is read beside them, and none of their names is missing. paid and
// unpaid are conditions as the database has them; scope is that of a table.
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
