package mirror

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestPartPatternsSelectParts(t *testing.T) {
	t.Parallel()
	tables := &source.Type{Fields: []field.Spec{{Name: "tables"}}}
	for name, tt := range map[string]struct {
		typ    *source.Type
		globs  []string
		scopes map[string]bool
		says   string
	}{
		"patterns": {
			&source.Type{},
			[]string{"public.*", "guide/**"},
			map[string]bool{"public.orders": true, "private.orders": false, "guide/.hidden": true, "guide": false},
			"",
		},
		"a bucket has a dot in its name": {&source.Type{}, []string{"com"}, map[string]bool{"example.com": false}, `--part: nothing matches "com"`},
		"bare names of tables": {
			tables,
			[]string{"orders", "log_*", "a?b"},
			map[string]bool{"public.orders": true, "orders": true, "other.log_1": true, "orders.x": false, `public."a.b"`: false, "public.[a.b]": false, `"a"`: false, "": false},
			`--part: nothing matches "a?b"`,
		},
		"each pattern without a match is named, with a suggestion": {
			tables,
			[]string{"prodcts", "orders", "public.ordrs"},
			map[string]bool{"public.products": false, "public.orders": true},
			`--part: nothing matches "prodcts", nor "public.ordrs"; did you mean "products"?`,
		},
	} {
		f, err := newPartFilter(tt.globs, tt.typ)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for scope := range tt.scopes {
			got[scope] = f.wants(scope)
		}
		if d := cmp.Diff(tt.scopes, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		says := ""
		if err := f.unmatched(); err != nil {
			says = err.Error()
			if hint := logs.HintOf(err); hint != "" {
				says += "; " + hint
			}
		}
		if says != tt.says {
			t.Errorf("%s: got %q, want %q", name, says, tt.says)
		}
	}
	if f, err := newPartFilter(nil, tables); f != nil || err != nil {
		t.Error("without patterns the filter must be nil")
	}
}
