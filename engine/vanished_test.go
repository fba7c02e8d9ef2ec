package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// withTwoScopes has mirrored a with 50 documents and b with 2, and can remove b and put it back.
type withTwoScopes struct {
	*harness
	t *testing.T
	b []document.Document
}

func newWithTwoScopes(t *testing.T) *withTwoScopes {
	t.Helper()
	h := &withTwoScopes{harness: newHarness(t), t: t, b: numbered("b", "b", 2)}
	h.source.Parts["a"] = numbered("a", "a", 50)
	h.back()
	h.sync()
	return h
}

func (h *withTwoScopes) remove() { delete(h.source.Parts, "b") }
func (h *withTwoScopes) back()   { h.source.Parts["b"] = h.b }

// holdsBack syncs and expects that b is missed and kept.
func (h *withTwoScopes) holdsBack(when string) {
	h.t.Helper()
	if res := h.sync(); res.Counts.Deleted != 0 || res.Withheld[plan.ScopeVanished] != 2 || res.WithheldDeletes() != 2 {
		h.t.Fatalf("%s: %+v", when, res)
	}
}

func (h *withTwoScopes) deletes(when string) {
	h.t.Helper()
	res := h.sync()
	want := map[string]string{"b0": string(plan.VanishedTwice), "b1": string(plan.VanishedTwice)}
	if d := cmp.Diff(want, h.seen.of("delete")); d != "" || res.Counts.Deleted != 2 || res.WithheldDeletes() != 0 {
		h.t.Fatalf("%s: %+v\n%s", when, res, d)
	}
}

func TestAScopeThatVanishedTwiceIsDeleted(t *testing.T) {
	t.Parallel()
	h := newWithTwoScopes(t)
	h.remove()
	h.holdsBack("first")
	kept := h.kept
	res := h.diff()
	want := map[string]string{"b0": string(plan.VanishedTwice), "b1": string(plan.VanishedTwice)}
	if d := cmp.Diff(want, h.seen.of("delete")); d != "" || res.WithheldDeletes() != 0 {
		t.Fatalf("diff: %+v\n%s", res, d)
	}
	if d := cmp.Diff(kept, h.kept); d != "" {
		t.Fatalf("the diff changed what is remembered:\n%s", d)
	}
	h.deletes("second")
	if res := h.sync(); res.Differences() || res.WithheldDeletes() != 0 {
		t.Fatalf("third: %+v", res)
	}
}

// TestTheGuardAppliesToScopesMissingTwice: also on the third run, and the number of deletes is reported.
func TestTheGuardAppliesToScopesMissingTwice(t *testing.T) {
	t.Parallel()
	h := newWithTwoScopes(t)
	h.b = numbered("b", "b", 20)
	h.back()
	h.sync()
	h.remove()
	if res := h.sync(); res.Withheld[plan.ScopeVanished] != 20 {
		t.Fatalf("first: %+v", res)
	}
	for range 2 {
		if res := h.sync(); res.Counts.Deleted != 0 || res.Withheld[plan.GuardRefused] != 20 || res.Eligible != 20 {
			t.Fatalf("%+v", res)
		}
	}
	if res := h.sync(func(j *engine.Job) { j.Guard.Confirmed = 20 }); res.Counts.Deleted != 20 {
		t.Fatalf("confirmed: %+v", res)
	}
}

// TestTwiceMeansTwoSyncsInARow: events between two syncs that miss a scope.
func TestTwiceMeansTwoSyncsInARow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		between func(h *withTwoScopes)
		deletes bool
	}{
		{"nothing", func(*withTwoScopes) {}, true},
		{"a diff", func(h *withTwoScopes) { h.diff() }, true},
		{"a sync of other parts does not see the complete source", func(h *withTwoScopes) {
			h.sync(func(j *engine.Job) { j.Wants = func(scope string) bool { return scope == "a" } })
		}, true},
		{"a sync of a source that cannot be reached saw nothing", func(h *withTwoScopes) {
			h.source.PingErr = &source.Error{Kind: source.ErrUnreachable, Err: errors.New("down")}
			if _, err := h.run(h.t.Context()); !errors.Is(err, source.ErrUnreachable) {
				h.t.Fatal(err)
			}
			h.source.PingErr = nil
		}, true},
		{"a sync that found the scope", func(h *withTwoScopes) {
			h.back()
			h.sync()
			h.remove()
		}, false},
		{"a sync whose list ended early", func(h *withTwoScopes) {
			h.source.ListErr = errors.New("ended early")
			h.sync()
			h.source.ListErr = nil
		}, false},
		{"an interrupted sync that may have found the scope", func(h *withTwoScopes) {
			ctx, cancel := context.WithCancelCause(h.t.Context())
			cause := errors.New("the signal")
			h.source.Each = func(string, int) { cancel(cause) }
			if _, err := h.run(ctx); !errors.Is(err, cause) {
				h.t.Fatal(err)
			}
			h.source.Each = nil
		}, false},
		{"the memory of another owner", func(h *withTwoScopes) {
			h.job.Owner, h.job.Adopt = "memory/other", true
		}, false},
		{"no memory at all", func(h *withTwoScopes) { h.deps.Vanished = engine.Vanished{} }, false},
		{"a memory that cannot be read", func(h *withTwoScopes) {
			h.deps.Vanished.Load = func(string, string) ([]string, error) { return []string{"b"}, errors.New("broken") }
		}, false},
		{"a memory that cannot be cleared might be old", func(h *withTwoScopes) {
			h.deps.Vanished.Save = func(string, string, []string) error { return errors.New("read-only") }
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newWithTwoScopes(t)
			h.remove()
			h.holdsBack("first")
			tc.between(h)
			if tc.deletes {
				h.deletes("second")
			} else {
				h.holdsBack("second")
			}
		})
	}
}

// TestOnlyScopesMissingTwiceAreDeleted: another scope that disappears in the meantime has its own count.
func TestOnlyScopesMissingTwiceAreDeleted(t *testing.T) {
	t.Parallel()
	h := newWithTwoScopes(t)
	h.source.Parts["c"] = numbered("c", "c", 3)
	h.sync()
	h.remove()
	h.holdsBack("first")
	delete(h.source.Parts, "c")
	res := h.sync()
	if res.Counts.Deleted != 2 || res.Withheld[plan.ScopeVanished] != 3 {
		t.Fatalf("%+v", res)
	}
	if res := h.sync(); res.Counts.Deleted != 3 || res.WithheldDeletes() != 0 {
		t.Fatalf("%+v", res)
	}
}

// TestAHiddenScopeIsNeverTreatedAsDropped: a revoked privilege is not a dropped table.
func TestAHiddenScopeIsNeverTreatedAsDropped(t *testing.T) {
	t.Parallel()
	h := newWithTwoScopes(t)
	h.source.Hidden = map[string]bool{"b": true}
	for _, when := range []string{"first", "second", "third"} {
		h.holdsBack(when)
	}
	h.source.Hidden = nil
	if res := h.sync(); res.Differences() || res.WithheldDeletes() != 0 {
		t.Fatalf("seen again: %+v", res)
	}
}
