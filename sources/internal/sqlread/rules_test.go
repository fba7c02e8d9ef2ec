package sqlread

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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
