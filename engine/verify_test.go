package engine_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// TestAChangedScopeLosesNothing: a scope that was read completely and turns out to have changed keeps its documents
// and is reported once; the others lose theirs. A scope without deletes is not verified.
func TestAChangedScopeLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "a1", "1", "a2", "1", "a3", "1")
	h.put("b", "b1", "1", "b2", "1")
	h.put("c", "c1", "1")
	h.sync()
	h.put("a", "a1", "1")
	h.put("b", "b1", "1")
	changed := errors.New("the file changed")
	h.source.Unsure = map[string]error{"a": changed, "c": changed}
	res := h.sync()
	if d := cmp.Diff(map[plan.Reason]int64{plan.ScopeFailed: 2}, res.Withheld); d != "" || res.Counts.Deleted != 1 || res.Failed != 1 {
		t.Errorf("%s%+v", d, res)
	}
	if d := cmp.Diff([]string{"a1", "a2", "a3", "b1", "c1"}, slices.Sorted(maps.Keys(h.held()))); d != "" {
		t.Error(d)
	}
	if len(h.seen.fails) != 1 || !errors.Is(h.seen.fails[0].Err, changed) || h.seen.fails[0].Scope != "a" {
		t.Errorf("%+v", h.seen.fails)
	}
	h.source.Unsure = nil
	if res := h.sync(); res.Counts.Deleted != 2 || res.Incomplete() {
		t.Errorf("%+v", res)
	}
}
