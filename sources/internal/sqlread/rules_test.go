package sqlread

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// ruleOf is a rule of a configuration, with some keys changed; nil removes one.
func ruleOf(change map[string]any) map[string]any {
	r := map[string]any{"tables": []any{"t"}, "query": "SELECT * FROM t"}
	for key, value := range change {
		if r[key] = value; value == nil {
			delete(r, key)
		}
	}
	return r
}

func TestValidRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rules any
		want  []Rule
	}{
		"none":         {rules: nil},
		"empty list":   {rules: []any{}},
		"empty object": {rules: map[string]any{}},
		"one": {
			rules: []any{ruleOf(map[string]any{"query": "SELECT 1 -- one\n;; ", "id_columns": []any{"a", " b"}})},
			want:  []Rule{{Path: "advanced_rules[0]", Query: "SELECT 1 -- one", IDColumns: []string{"a", "b"}}},
		},
	} {
		got, err := Double.ParseRules(tt.rules)
		for i := range got {
			if len(got[i].Tables) != 1 || got[i].Tables[0].Text != "t" {
				t.Errorf("%s: the tables are %v", name, got[i].Tables)
			}
			got[i].Tables = nil
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestInvalidRules(t *testing.T) {
	t.Parallel()
	good := ruleOf(nil)
	for name, tt := range map[string]struct {
		rules any
		says  string
		hint  string
	}{
		"not a list":                {rules: "x", says: "advanced_rules: must be a list, not text", hint: "write a list of rules"},
		"one object":                {rules: good, says: "advanced_rules: must be a list, not an object"},
		"no object":                 {rules: []any{good, "x"}, says: "advanced_rules[1]: must be an object, not text"},
		"extra key":                 {rules: []any{ruleOf(map[string]any{"params": 1})}, says: "advanced_rules[0].params: unknown key", hint: "tables, query, id_columns"},
		"misspelled key":            {rules: []any{good, ruleOf(map[string]any{"querry": ""})}, says: "advanced_rules[1].querry: unknown key", hint: "did you mean query?"},
		"missing tables":            {rules: []any{ruleOf(map[string]any{"tables": nil})}, says: "advanced_rules[0].tables: must be a list, not missing"},
		"tables as text":            {rules: []any{ruleOf(map[string]any{"tables": "t"})}, says: "advanced_rules[0].tables: must be a list, not text", hint: "tables: [orders]"},
		"no tables":                 {rules: []any{ruleOf(map[string]any{"tables": []any{}})}, says: "advanced_rules[0].tables: is empty"},
		"table is a number":         {rules: []any{ruleOf(map[string]any{"tables": []any{"t", 1.0}})}, says: "advanced_rules[0].tables[1]: must be text, not a number"},
		"table is blank":            {rules: []any{ruleOf(map[string]any{"tables": []any{" "}})}, says: "advanced_rules[0].tables[0]: is empty"},
		"table is a pattern":        {rules: []any{ruleOf(map[string]any{"tables": []any{"t*"}})}, says: `advanced_rules[0].tables[0]: "t*" is not the name of one table`, hint: "in quotes"},
		"table is left out":         {rules: []any{ruleOf(map[string]any{"tables": []any{"-t"}})}, says: `advanced_rules[0].tables[0]: "-t" is not the name of one table`},
		"an incomplete table":       {rules: []any{ruleOf(map[string]any{"tables": []any{`"t`}})}, says: "advanced_rules[0].tables[0]: the closing quote is missing"},
		"missing query":             {rules: []any{ruleOf(map[string]any{"query": nil})}, says: "advanced_rules[0].query: must be text, not missing"},
		"empty query":               {rules: []any{good, ruleOf(map[string]any{"query": ""})}, says: "advanced_rules[1].query: is empty", hint: "write a SELECT"},
		"query without a statement": {rules: []any{ruleOf(map[string]any{"query": " ;\n; "})}, says: "advanced_rules[0].query: is empty"},
		"no id_columns":             {rules: []any{ruleOf(map[string]any{"id_columns": []any{}})}, says: "advanced_rules[0].id_columns: is empty", hint: "or remove the key"},
		"id_columns as object":      {rules: []any{ruleOf(map[string]any{"id_columns": map[string]any{}})}, says: "advanced_rules[0].id_columns: must be a list, not an object"},
		"id column is true":         {rules: []any{ruleOf(map[string]any{"id_columns": []any{true}})}, says: "advanced_rules[0].id_columns[0]: must be text, not true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Double.ParseRules(tt.rules)
			sqltest.Refuse(t, err, source.ErrConfig, tt.says, tt.hint)
		})
	}
}
