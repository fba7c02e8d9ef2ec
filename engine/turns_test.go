package engine_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// limited is a source of three parts, read one after the other, in runs whose time ends before a document of a
// part.
type limited struct {
	*harness
	t     *testing.T
	turns map[string]int64
	hours atomic.Int64 // since the start
	order []string     // parts in the order in which the last run started to read them
}

func newLimited(t *testing.T) *limited {
	t.Helper()
	h := &limited{harness: newHarness(t), t: t}
	for _, scope := range []string{"a", "b", "c"} {
		h.source.Parts[scope] = numbered(scope, scope, 20)
	}
	h.deps.Readers = 1
	h.deps.Now = h.now
	h.deps.Turns = engine.Turns{
		Load: func(string) (map[string]int64, error) { return h.turns, nil },
		Save: func(_ string, turns map[string]int64) error {
			h.turns = turns
			return nil
		},
	}
	return h
}

// now is the clock of readers and writers.
func (h *limited) now() time.Time {
	return time.Unix(1_790_000_000, 0).Add(time.Duration(h.hours.Load()) * time.Hour)
}

// until runs with a limit that ends before the tenth document of a part, "" for never. Each part takes an hour.
func (h *limited) until(part string, change ...func(*engine.Job)) (engine.Result, error) {
	h.t.Helper()
	until, stop := context.WithCancel(context.Background())
	defer stop()
	h.deps.Until, h.order = until, nil
	h.source.Each = func(name string, n int) {
		if n == 0 {
			h.order = append(h.order, name)
			h.hours.Add(1)
		}
		if name == part && n == 10 {
			stop()
		}
	}
	h.source.Blocks = map[string]int{part: 10}
	defer func() { h.deps.Until, h.source.Each, h.source.Blocks = nil, nil, nil }()
	return h.run(h.t.Context(), change...)
}

// late is until for a run that must leave work.
func (h *limited) late(part string) engine.Result {
	h.t.Helper()
	res, err := h.until(part)
	if !errors.Is(err, engine.ErrTimeIsUp) || !res.Late || res.Failed != 0 {
		h.t.Fatalf("%v, %+v", err, res)
	}
	return res
}

func (h *limited) read(want ...string) {
	h.t.Helper()
	if d := cmp.Diff(want, h.order); d != "" {
		h.t.Fatalf("parts were read in the order\n%s", d)
	}
}

func TestSuccessiveRunsCoverASourceLongerThanTheLimit(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.late("b")
	h.read("a", "b")
	h.late("c") // b was cut short, c did not start: both before a
	h.read("b", "c")
	h.late("b")
	h.read("c", "a", "b")
	if d := cmp.Diff(60, len(h.held())); d != "" {
		t.Fatal(d)
	}
	res, err := h.until("")
	if err != nil || res.Late || res.Differences() {
		t.Fatalf("with time enough: %v, %+v", err, res)
	}
	h.read("b", "c", "a")
}

// TestAPartLongerThanTheLimitLetsOthersRead: otherwise it would always be first, because it never ends.
func TestAPartLongerThanTheLimitLetsOthersRead(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.late("a")
	h.read("a")
	h.late("c")
	h.read("b", "c")
	h.late("a")
	h.read("c", "a")
	h.late("a")
	h.read("a")
	h.late("a")
	h.read("b", "c", "a")
}

func TestATimeLimitDeletesOnlyInPartsReadCompletely(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.sync()
	for scope, docs := range h.source.Parts {
		h.source.Parts[scope] = docs[:19]
	}
	res := h.late("b")
	want := map[string]string{"a19": string(plan.GoneFromSource)}
	if d := cmp.Diff(want, h.seen.of("delete")); d != "" || res.Counts.Deleted != 1 || res.Counts.Withheld != 0 {
		t.Fatalf("%+v\n%s", res, d)
	}
	if res = h.late("c"); res.Counts.Deleted != 1 || len(h.seen.of("delete")) != 1 || h.seen.of("delete")["b19"] == "" {
		t.Fatalf("%+v %v", res, h.seen.of("delete"))
	}
	if res, err := h.until(""); err != nil || res.Counts.Deleted != 1 {
		t.Fatalf("%v %+v", err, res)
	}
	if got := slices.Sorted(maps.Keys(h.held())); len(got) != 57 {
		t.Fatalf("%v", got)
	}
}

// TestTheGuardCountsOnlyWhatWasRead: 15 of 20 are many, although the index holds hundreds more.
func TestTheGuardCountsOnlyWhatWasRead(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.source.Parts["b"] = numbered("b", "b", 300)
	h.sync()
	h.source.Parts["a"] = h.source.Parts["a"][:5]
	res := h.late("b")
	if res.Withheld[plan.GuardRefused] != 15 || res.WithheldDeletes() != 15 || res.Counts.Deleted != 0 {
		t.Fatalf("%+v", res)
	}
}

func TestADryRunTakesNoTurns(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.sync()
	for range 2 {
		res, err := h.until("b", func(j *engine.Job) { j.DryRun = true })
		if !errors.Is(err, engine.ErrTimeIsUp) || res.Differences() || h.turns != nil {
			t.Fatalf("%v %+v %v", err, res, h.turns)
		}
		h.read("a", "b")
	}
}

// TestATimeLimitWhileListingDeletesNothing: the existing parts are unknown, so nothing is judged.
func TestATimeLimitWhileListingDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.sync()
	delete(h.source.Parts, "a")
	h.source.ListBlocks = true
	until, stop := context.WithCancel(context.Background())
	stop()
	h.deps.Until = until
	res, err := h.run(t.Context())
	if !errors.Is(err, engine.ErrTimeIsUp) || res.Counts.Deleted != 0 || res.WithheldDeletes() != 0 || len(h.held()) != 60 {
		t.Fatalf("%v %+v", err, res)
	}
}

// TestARealFailureIsNotBlamedOnTheTimeLimit: an error other than the time limit is reported unchanged.
func TestARealFailureIsNotBlamedOnTheTimeLimit(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.source.Fails, h.source.FailsAt = map[string]error{"b": errors.New("broken")}, 10
	res, err := h.until("")
	if err != nil || res.Failed != 1 || res.Late {
		t.Fatalf("%v %+v", err, res)
	}
	h.read("a", "b", "c")
	h.deps.Until = t.Context()
	for name, breakIt := range map[string]func(*engine.Job){
		"reading": func(*engine.Job) { h.source.Each = func(string, int) { panic("oops") } },
		"listing": func(j *engine.Job) { j.Wants = func(string) bool { panic("oops") } },
	} {
		_, err = h.run(t.Context(), breakIt)
		if _, crashed := errors.AsType[*crash.Error](err); !crashed {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// TestATurnInTheFutureIsIgnored: a clock that was wrong once would otherwise starve the part.
func TestATurnInTheFutureIsIgnored(t *testing.T) {
	t.Parallel()
	h := newLimited(t)
	h.sync()
	if _, err := h.until(""); err != nil {
		t.Fatal(err)
	}
	h.turns["c"] = h.now().AddDate(9, 0, 0).Unix()
	h.late("b")
	if h.order[0] != "c" {
		t.Errorf("parts were read in the order %v", h.order)
	}
}
