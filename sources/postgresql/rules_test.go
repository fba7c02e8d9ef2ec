package postgresql

import (
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// TestScopes checks that different tables have different scopes, whatever their names.
func TestScopes(t *testing.T) {
	t.Parallel()
	v := sqltest.Parse(t, &Type, plain(nil))
	list := func(texts ...any) []any { return texts }
	seen := map[string]string{}
	for _, tt := range []struct {
		database      any
		schema, table any
		want          string // "" for none
	}{
		{"d", "public", "a", "public.a"},
		{"d", "public", list("a", "b"), "public.a+b"},
		{"d", "public", "a+b", `public."a+b"`},
		{"d", "public", list("a+b", "c"), `public."a+b"+c`},
		{"d", list("a", "b"), list("x", "y"), "a+b.x+y"},
		{"d", "a.b", "c", `"a.b".c`},
		{"other", "public", "a", "other.public.a"},
		{"other", "public", list("a", "b"), "other.public.a+b"},
		{"d", "public", list(), ""},
		{"d", "public", list("a", 1.0), ""},
		{"d", "public", map[string]any{}, ""},
		{"d", nil, "a", ""},
		{1.0, "public", "a", ""},
	} {
		got, ok := Type.ScopeOf(v, map[string]any{"database": tt.database, "schema": tt.schema, "table": tt.table})
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%v %v %v: %q, %t; want %q", tt.database, tt.schema, tt.table, got, ok, tt.want)
		}
		if ok && seen[got] != "" {
			t.Errorf("two tables have the scope %s", got)
		}
		seen[got] = got
	}
	for want, fields := range map[string]map[string]any{
		"public.a":       {"Database": "d", "schema": "public", "Table": "a"}, // of the profile seed87
		"public.a+b":     {"Database": "d", "schema": "public", "Table": list("a", "b")},
		"other.public.a": {"Database": "other", "schema": "public", "Table": "a"},
	} {
		if got, ok := Type.ScopeOf(v, fields); got != want || !ok {
			t.Errorf("%v: %q, want %q", fields, got, want)
		}
	}
	for _, fields := range []map[string]any{
		{"Database": "d", "schema": "public", "table": "a"}, {"database": "d", "schema": "public", "Table": "a"}, {"database": "d", "schema": "public"},
	} {
		if got, ok := Type.ScopeOf(v, fields); ok {
			t.Errorf("%v: %q", fields, got)
		}
	}
	// A list of one table means that table: rows that a rule does not select are deleted, although a full read
	// indexed them.
	if got, _ := Type.ScopeOf(v, map[string]any{"database": "d", "schema": "public", "table": list("a")}); got != "public.a" {
		t.Errorf("the scope of one table in a list is %q", got)
	}
}

func TestMoneyOfQueries(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"$0.07": "0.07", "-$1,234,567.50": "-1234567.50",
		`{$0.07,NULL,"-$1,234.50"}`: "{0.07,NULL,-1234.50}", `{{"$1,000.00",$2.00},{$3.00,NULL}}`: "{{1000.00,2.00},{3.00,NULL}}",
	} {
		if got := moneyDigits(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestLabelOfRules(t *testing.T) {
	t.Parallel()
	fields := []document.Field{{Name: "database", Value: document.String("d")}, {Name: "schema", Value: document.String("x")}, {Name: "Table", Value: document.String("y")}}
	s := &sqlread.Selection{Tables: []relation{{Schema: "b", Name: "one"}, {Schema: "a", Name: "two"}, {Schema: "b", Name: "two"}}}
	sqlread.Label(fields, s.Schemas(), s.Names())
	out, end := document.AppendSource(nil, &document.Document{ID: "i", Fields: fields}, document.Trailer{})
	if want := `"database":"d","schema":["a","b"],"Table":["one","two","two"]`; !strings.HasSuffix(string(out[:end]), want) {
		t.Errorf("got %s", out[:end])
	}
}
