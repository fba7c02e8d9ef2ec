package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
)

// TestAfterAWaitForTheLockTheIndexIsLookedUpAgain: it had no owner before, and belongs to the other run now.
func TestAfterAWaitForTheLockTheIndexIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	one, two := newHarness(t), newHarness(t)
	two.url, two.store, two.job.Index = one.url, one.store, one.job.Index
	one.job.Owner, two.job.Owner = "memory/one", "memory/two"
	one.put("a", "1", "of one")
	two.put("a", "2", "of two")
	two.write("3", `{"scope":"a","v":"of no one"}`)
	locks, open := 0, 0
	two.deps.Lock = func(context.Context, string, string) (func(), bool, error) {
		locks++
		open++
		one.sync(func(j *engine.Job) { j.Adopt = true }) //nolint:contextcheck // the harness has its own
		return func() { open-- }, true, nil
	}
	if _, err := two.run(t.Context()); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(strings.Join(two.sent, "\n"), "_bulk") || locks != 1 || open != 0 {
		t.Errorf("locked %d times, %d not released, sent %q", locks, open, two.sent)
	}
}

// TestARebuildThatWaitedLooksAgain: another run has rebuilt the index in the meantime, so that the name stands for
// another one.
func TestARebuildThatWaitedLooksAgain(t *testing.T) {
	t.Parallel()
	h := newRebuild(t)
	free := h.deps.Lock
	var other engine.Result
	h.deps.Lock = func(ctx context.Context, cluster, index string) (func(), bool, error) {
		h.deps.Lock = free
		var err error
		if other, err = h.rebuild(); err != nil { //nolint:contextcheck // the harness has its own
			t.Error(err)
		}
		unlock, _, err := free(ctx, cluster, index)
		return unlock, true, err
	}
	if _, err := h.rebuild(); !errors.Is(err, engine.ErrReplaced) {
		t.Errorf("got %v", err)
	}
	if got := h.held(); len(got) != 40 || other.Replaced == "" {
		t.Errorf("the index holds %d documents; the other run: %+v", len(got), other)
	}
}
