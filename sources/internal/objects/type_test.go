package objects

import (
	"context"
	"errors"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// A type checks the names of buckets and the rules before it connects, and finds the bucket of a document in its first
// scope field.
func TestSourceType(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		names   string
		rules   any
		connect error
		want    error
		dials   int
	}{
		"all is well":        {"one, logs-*", nil, nil, nil, 1},
		"a name is a path":   {"a/b", nil, nil, source.ErrConfig, 0},
		"rules are no list":  {"one", "x", nil, source.ErrConfig, 0},
		"the store refuses":  {"one", nil, refused, refused, 1},
		"rules name buckets": {"one", []any{map[string]any{"bucket": "two"}}, nil, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dials := 0
			typ := SourceType(source.Type{
				Name: "fake", Fields: []field.Spec{NamesField("containers", "Containers", 1, "")}, ScopeFields: []string{"container"}, AdvancedRules: true,
			}, "container", "containers", func(context.Context, field.Values) (*fake, error) {
				dials++
				return &fake{}, tt.connect
			})
			v, err := field.Parse(typ.Fields, map[string]any{"containers": tt.names})
			if err != nil {
				t.Fatal(err)
			}
			src, err := typ.Open(t.Context(), v, source.Env{AdvancedRules: tt.rules})
			if !errors.Is(err, tt.want) || dials != tt.dials {
				t.Errorf("got %v after %d connections; want %v after %d", err, dials, tt.want, tt.dials)
			}
			if err == nil && src.Close() != nil {
				t.Error("it does not close")
			}
			if scope, ok := typ.ScopeOf(v, map[string]any{"container": "one"}); scope != "one" || !ok || typ.ScopeNoun(v) != "container" || !typ.VersionPerDocument(v) {
				t.Errorf("got the scope %q, %v, and the noun %q", scope, ok, typ.ScopeNoun(v))
			}
			if scope, ok := typ.ScopeOf(v, map[string]any{"container": ""}); ok {
				t.Errorf("a document without a bucket is in %q", scope)
			}
		})
	}
}
