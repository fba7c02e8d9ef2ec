package engine_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

func noDelete(j *engine.Job) { j.NoDelete = true }

// TestARunWithoutDeletesOnlyWrites: documents no longer in the source stay, are not held back, and are deleted by the next usual run.
func TestARunWithoutDeletesOnlyWrites(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x", "2", "x", "3", "x")
	h.sync()
	h.put("a", "1", "changed", "4", "new")
	dry := h.diff(noDelete)
	res := h.sync(noDelete)
	for name, r := range map[string]engine.Result{"diff": dry, "sync": res} {
		if c := r.Counts; c.Created != 1 || c.Updated != 1 || c.Deleted != 0 || c.Withheld != 0 || len(r.Withheld) != 0 || r.Spared != 2 || !r.SparedGone {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if got, want := h.held(), map[string]string{"1": "changed", "2": "x", "3": "x", "4": "new"}; !maps.Equal(got, want) {
		t.Errorf("the index holds %v, want %v", got, want)
	}
	if res := h.sync(); res.Counts.Deleted != 2 {
		t.Errorf("the next sync: %+v", res.Counts)
	}
}

// TestARunWithoutDeletesTakesNoIndex: an index of unknown origin has documents that the next usual run must not
// take for its own.
func TestARunWithoutDeletesTakesNoIndex(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.write("foreign", `{"scope":"a","v":"x"}`)
	h.put("a", "1", "x")
	for range 2 {
		if res := h.sync(noDelete); res.WithheldDeletes() != 0 || res.Spared != 1 {
			t.Fatalf("%+v", res)
		}
	}
	if res := h.sync(); res.Counts.Deleted != 0 || res.WithheldDeletes() != 1 {
		t.Errorf("the next sync: %+v", res)
	}
}

// TestARunWithoutDeletesKeepsItsPlaceInTheChanges: otherwise no incremental run would delete the document.
func TestARunWithoutDeletesKeepsItsPlaceInTheChanges(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 20)
	incremental := func(j *engine.Job) { j.Incremental = true }
	h.remove("a", "a0")
	if res := h.sync(incremental, noDelete); !res.Incremental || res.Counts.Deleted != 0 || res.Spared != 1 {
		t.Fatalf("%+v", res)
	}
	if res := h.sync(incremental); !res.Incremental || res.Counts.Deleted != 1 {
		t.Errorf("the next run: %+v", res)
	}
}

// TestVanishedPartsAreNotCountedWithoutDeletes: a run that decides no deletes is not one of the two that miss a
// part.
func TestVanishedPartsAreNotCountedWithoutDeletes(t *testing.T) {
	t.Parallel()
	h := newWithTwoScopes(t)
	h.remove()
	h.sync(noDelete)
	h.holdsBack("after a run without deletes")
	h.sync(noDelete)
	h.holdsBack("after another one")
	h.deletes("in the second run in a row")
}

// TestARefusedRefreshIsAnErrorOfARunThatWaitsForIt: the documents are written, and the error says that they may
// not be searchable.
func TestARefusedRefreshIsAnErrorOfARunThatWaitsForIt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x")
	h.sync()
	refused := []fault.Rule{{Path: "_refresh", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)}}
	h.rules = refused
	if _, err := h.run(t.Context()); err != nil {
		t.Fatalf("a run that does not wait: %v", err)
	}
	h.put("a", "1", "x", "2", "x")
	h.rules = refused
	res, err := h.run(t.Context(), func(j *engine.Job) { j.WaitRefresh = true })
	if !errors.Is(err, elastic.ErrAuth) || res.Counts.Created != 1 {
		t.Errorf("%v: %+v", err, res.Counts)
	}
	if got := h.held(); len(got) != 2 {
		t.Errorf("the index holds %v", got)
	}
	if res := h.sync(func(j *engine.Job) { j.WaitRefresh = true }); res.Differences() {
		t.Errorf("the next run: %+v", res.Counts)
	}
}
