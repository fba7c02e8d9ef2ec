package interview

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// listed is a source that only lists parts: the ranges of each scope.
type listed struct {
	scopes, ranges int
	hidden         bool
	absent         bool
	pause          time.Duration // before each scope
	end            error
}

func (l *listed) Validate(context.Context) error { return nil }
func (l *listed) Ping(context.Context) error     { return nil }
func (l *listed) Close() error                   { return nil }

func (l *listed) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for i := range l.scopes * l.ranges {
			select {
			case <-time.After(l.pause):
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
			p := part{scope: strconv.Itoa(i / l.ranges)}
			var one source.Part = &p
			if l.hidden {
				one = &hidden{p}
			}
			if l.absent {
				one = &absent{p}
			}
			if !yield(one, nil) {
				return
			}
		}
		if l.end != nil {
			yield(nil, l.end)
		}
	}
}

type part struct {
	source.Ending
	scope string
}

func (p *part) Scope() string { return p.scope }
func (p *part) Name() string  { return p.scope }

func (p *part) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(func(document.Document, error) bool) {}
}

type hidden struct{ part }

func (*hidden) Hidden() {}

type absent struct{ part }

func (*absent) Absent() error { return errors.New("no such table") }

// TestATrialListsTheSource: a list that fails and an empty one are failures; a long or a slow one is not.
func TestATrialListsTheSource(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		source listed
		found  string
		err    string
	}{
		"one":                     {source: listed{scopes: 1, ranges: 1}, found: ": 1 table"},
		"the ranges of a scope":   {source: listed{scopes: 12, ranges: 3}, found: ": 12 tables"},
		"as many as are counted":  {source: listed{scopes: 1000, ranges: 1}, found: ": " + term.Number(1000) + " tables"},
		"more":                    {source: listed{scopes: 1001, ranges: 1, end: broken}, found: ": more than " + term.Number(1000) + " tables"},
		"none":                    {source: listed{ranges: 1}, err: "the source has no tables"},
		"none that is visible":    {source: listed{scopes: 2, ranges: 1, hidden: true}, err: "the source has no tables"},
		"a name without a table":  {source: listed{scopes: 2, ranges: 1, absent: true}, err: "no such table"},
		"an error of the list":    {source: listed{scopes: 2, ranges: 1, end: broken}, err: "broken"},
		"a slow list":             {source: listed{scopes: 10, ranges: 1, pause: 3 * time.Second}, found: ": at least 3 tables"},
		"a list that never comes": {source: listed{scopes: 1, ranges: 1, pause: time.Hour}, found: "; listing its tables takes longer than 10 seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				of := &source.Type{ScopeNoun: source.Noun("table"), Open: func(context.Context, field.Values, source.Env) (source.Source, error) { return &tc.source, nil }}
				tr := &trial{of: of, reached: make(chan struct{})}
				found, err := tr.run(t.Context())
				switch {
				case tc.err != "" && (err == nil || err.Error() != tc.err), tc.err == "" && err != nil:
					t.Errorf("error %v, want %q", err, tc.err)
				case err == nil && found != tc.found:
					t.Errorf("found %q, want %q", found, tc.found)
				}
			})
		})
	}
}
