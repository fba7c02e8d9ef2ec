package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// following is a source that reports its changes, mirrored once.
type following struct {
	*harness
	log *bytes.Buffer
}

func newFollowing(t *testing.T, docs int) *following {
	t.Helper()
	return newFollowingOn(t, *destination, docs)
}

func newFollowingOn(t *testing.T, url string, docs int) *following {
	t.Helper()
	h := &following{harness: newHarnessOn(t, url), log: &bytes.Buffer{}}
	h.deps.Log = slog.New(slog.NewTextHandler(h.log, nil))
	h.source.History = &fault.History{}
	h.fill(map[string]int{"a": docs, "b": docs})
	h.sync()
	return h
}

// set creates or changes a document, and remove deletes one; both are events.
func (h *following) set(scope, id, value string) {
	h.source.Parts[scope] = append(h.without(scope, id), doc(scope, id, value))
	h.event(scope, id)
}

func (h *following) remove(scope, id string) {
	h.source.Parts[scope] = h.without(scope, id)
	h.event(scope, id)
}

func (h *following) event(scope, id string) {
	h.source.History.Events = append(h.source.History.Events, fault.Event{Scope: scope, ID: id})
}

func (h *following) without(scope, id string) []document.Document {
	return slices.DeleteFunc(slices.Clone(h.source.Parts[scope]), func(d document.Document) bool { return d.ID == id })
}

// incremental changes a job for [harness.sync] and its variants.
func incremental(j *engine.Job) { j.Incremental = true }

// mirrors fails the test unless the index equals the source.
func (h *following) mirrors() {
	h.t.Helper()
	want := map[string]string{}
	for _, docs := range h.source.Parts {
		for _, d := range docs {
			v, _ := d.Lookup("v")
			want[d.ID] = v.Text()
		}
	}
	if got := h.held(); !maps.Equal(got, want) {
		h.t.Errorf("the index holds %v, want %v", got, want)
	}
}

// asked counts the requests of the last run that contain a text.
func (h *following) asked(text string) (n int) {
	for _, r := range h.sent {
		if strings.Contains(r, text) {
			n++
		}
	}
	return n
}

func TestIncrementalReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 30)
	for _, share := range []int{0, 1} {
		h.source.History.Share = share
		v := fmt.Sprint("changed", share)
		h.set("a", "a1", v)
		h.set("a", "new"+v, v)
		h.remove("b", "b"+fmt.Sprint(share))
		h.set("b", "b2", "twice")
		h.set("b", "b2", v)
		h.event("b", "b3") // written with the same content
		h.set("a", "brief", v)
		h.remove("a", "brief") // created and deleted between two runs
		h.write("a2", `{"scope":"a","v":"of another program"}`)
		before := h.held()

		res := h.diff(incremental)
		if got := h.held(); !maps.Equal(got, before) {
			t.Errorf("diff changed %v to %v", before, got)
		}
		if n := res.Counts; n.Created != 1 || n.Updated != 2 || n.Deleted != 1 || n.Kept != 1 || n.Read != 4 {
			t.Errorf("diff: %+v", n)
		}
		res = h.sync(incremental)
		if n := res.Counts; n.Created != 1 || n.Updated != 2 || n.Deleted != 1 || n.Kept != 1 || n.Read != 4 {
			t.Errorf("sync: %+v", n)
		}
		if got := h.held(); got["a2"] != "of another program" {
			t.Errorf("a2 did not change in the source, and is %q", got["a2"])
		}
		if res := h.sync(incremental); res.Counts.Read != 0 || res.Differences() {
			t.Errorf("again: %+v", res.Counts)
		}
		if n := h.asked("_search") + h.asked("_pit") + h.asked("_refresh") + h.asked("_mapping"); n != 0 {
			t.Errorf("nothing had changed, but the index was searched: %q", h.sent)
		}
		h.sync() // a full run finds what the other program wrote
		h.mirrors()
	}
}

// TestIncrementalWithoutAChangerReadsEverything: it is an ordinary full run.
func TestIncrementalWithoutAChangerReadsEverything(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x", "2", "y")
	h.sync(incremental)
	h.put("a", "1", "z")
	if res := h.sync(incremental); res.Counts.Read != 1 || res.Counts.Updated != 1 || res.Counts.Deleted != 1 {
		t.Errorf("%+v", res.Counts)
	}
}

// TestIncrementalFallsBackToAFullRunAndSaysWhy: and it stores the position from before the reading.
func TestIncrementalFallsBackToAFullRunAndSaysWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(*following)
		job    func(*engine.Job)
		said   string
	}{
		"the source has lost the position": {func(h *following) { h.source.History.Lost = "the token is too old" }, nil, "the token is too old"},
		"other rules":                      {nil, excluding("equals", "none such"), "the rules, the pipeline"},
		"an index created by hand": {func(h *following) {
			removeIndex(h.t, h.store, h.url+"/"+h.job.Index)
		}, nil, "the index does not exist yet"},
		"no position was stored": {func(h *following) {
			removeIndex(h.t, h.store, h.url+"/"+h.job.Index)
			history := h.source.History
			h.source.History = nil
			h.sync()
			h.source.History = history
		}, nil, "no sync has stored a position"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFollowing(t, 5)
			if tt.before != nil {
				tt.before(h)
			}
			job := tt.job
			if job == nil {
				job = func(*engine.Job) {}
			}
			h.set("a", "a1", "changed")
			h.source.Parts["b"] = h.without("b", "b1") // no event reports it
			h.log.Reset()
			if res := h.sync(job, incremental); res.Counts.Read != 9 {
				t.Errorf("%+v", res.Counts)
			}
			if !strings.Contains(h.log.String(), "reads everything") || !strings.Contains(h.log.String(), tt.said) {
				t.Errorf("said %s", h.log)
			}
			h.mirrors()
			h.source.History.Lost = ""
			h.set("a", "a2", "changed")
			if res := h.sync(job, incremental); res.Counts.Read != 1 {
				t.Errorf("the run after: %+v, %s", res.Counts, h.log)
			}
			h.mirrors()
		})
	}
}

// TestAnIncompleteIncrementalRunIsRepeated: the position stays until every change before it is written.
func TestAnIncompleteIncrementalRunIsRepeated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		damage func(*following)
		job    func(*engine.Job)
		mend   func(*following)
	}{
		"a part cannot be read": {
			func(h *following) { h.source.Fails = map[string]error{"b": errors.New("broken")} }, nil,
			func(h *following) { h.source.Fails = nil },
		},
		"a part fails for a time": {
			func(h *following) {
				h.source.Fails = map[string]error{"b": &source.Error{Kind: source.ErrTemporary, Err: errors.New("away")}}
			}, nil,
			func(h *following) { h.source.Fails = nil },
		},
		"a part ends without saying so": {
			func(h *following) { h.source.Quiet, h.source.FailsAt = map[string]bool{"b": true}, 1 }, nil,
			func(h *following) { h.source.Quiet, h.source.FailsAt = nil, 0 },
		},
		"only one part is wanted": {nil, func(j *engine.Job) { j.Wants = func(scope string) bool { return scope == "a" } }, nil},
		"deletes are held back":   {nil, func(j *engine.Job) { j.Guard = engine.Guard{Confirmed: 0} }, nil},
		"the index cannot be refreshed": {
			func(h *following) {
				h.rules = []fault.Rule{{Path: "_refresh", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)}}
			}, nil, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFollowing(t, 5)
			h.set("a", "a1", "changed")
			h.set("b", "b1", "changed")
			h.remove("a", "a2")
			h.remove("b", "b2")
			if tt.damage != nil {
				tt.damage(h)
			}
			job := tt.job
			if job == nil {
				job = func(*engine.Job) {}
			}
			res, err := h.run(t.Context(), job, incremental)
			if err == nil && res.Failed == 0 && len(res.Withheld) == 0 && tt.job == nil {
				t.Errorf("nothing went wrong: %+v", res)
			}
			if tt.mend != nil {
				tt.mend(h)
			}
			h.sync(incremental)
			h.mirrors()
			if h.source.History.Positions != 1 {
				t.Errorf("the position was requested %d times: a run has read everything", h.source.History.Positions)
			}
		})
	}
}

// TestAnInterruptedIncrementalRunIsRepeated: interrupted at any of its requests.
func TestAnInterruptedIncrementalRunIsRepeated(t *testing.T) {
	t.Parallel()
	for at := int64(0); ; at++ {
		h := newFollowing(t, 5)
		h.set("a", "a1", "changed")
		h.set("b", "new", "v")
		h.remove("a", "a2")
		ctx, cancel := context.WithCancelCause(t.Context())
		var n atomic.Int64
		h.rules = []fault.Rule{{Pass: true, Before: func() {
			if n.Add(1) == at+1 {
				cancel(errors.New("a signal"))
			}
		}}}
		_, err := h.run(ctx, incremental)
		cancel(nil)
		if n.Load() <= at {
			if at < 5 || err != nil {
				t.Errorf("%d requests, %v", n.Load(), err)
			}
			return
		}
		h.sync(incremental)
		h.mirrors()
		if h.source.History.Positions != 1 {
			t.Errorf("ended at request %d: the next run has read everything", at)
		}
	}
}

// TestIncrementalRejectsAsAFullRunDoes: a rejected document is in the dead-letter file and does not hold up the
// others. Each further incremental run logs that it may be missing, until a full run has tried it again.
func TestIncrementalRejectsAsAFullRunDoes(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	h.set("a", "a1", "changed")
	h.source.Parts["a"] = append(h.source.Parts["a"], document.Document{ID: "bad", Fields: []document.Field{
		{Name: fault.ScopeField, Value: document.String("a")},
		{Name: "v", Value: document.Object([]document.Field{{Name: "x", Value: document.Int(1)}})},
	}})
	h.event("a", "bad")
	res := h.sync(incremental)
	if res.Counts.Rejected != 1 || res.Counts.Updated != 1 {
		t.Errorf("%+v", res.Counts)
	}
	if dead, err := os.ReadFile(h.dead); err != nil || !strings.Contains(string(dead), `"id":"bad"`) {
		t.Errorf("the dead-letter file: %s, %v", dead, err)
	}
	h.log.Reset()
	if res := h.sync(incremental); res.Counts.Read != 0 || !strings.Contains(h.log.String(), "documents were rejected since the last full sync") {
		t.Errorf("%+v, %s", res.Counts, h.log)
	}
	h.source.Parts["a"] = h.without("a", "bad")
	h.sync()
	h.log.Reset()
	if h.sync(incremental); h.log.Len() > 0 {
		t.Errorf("after a full run: %s", h.log)
	}
	h.mirrors()
}

// TestIncrementalDeletesUnderTheGuard: the percentage refers to all documents in the index.
func TestIncrementalDeletesUnderTheGuard(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 60)
	for i := range 11 {
		h.remove("a", fmt.Sprint("a", i))
	}
	if res := h.sync(incremental); res.Counts.Deleted != 11 {
		t.Errorf("11 of 120: %+v", res)
	}
	for i := range 12 {
		h.remove("b", fmt.Sprint("b", i))
	}
	res := h.sync(incremental)
	if res.Counts.Deleted != 0 || res.WithheldDeletes() != 12 || res.Judged != 109 {
		t.Errorf("12 of 109: %+v", res)
	}
	if res := h.sync(incremental, func(j *engine.Job) { j.Guard.Confirmed = 12 }); res.Counts.Deleted != 12 {
		t.Errorf("confirmed: %+v", res)
	}
	h.mirrors()
}

// TestIncrementalDoesNotEmptyTheIndex: like a full run, unless that is allowed.
func TestIncrementalDoesNotEmptyTheIndex(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 2)
	for _, id := range []string{"0", "1"} {
		h.remove("a", "a"+id)
		h.remove("b", "b"+id)
	}
	if res := h.sync(incremental); res.Counts.Deleted != 0 || res.WithheldDeletes() != 4 {
		t.Errorf("%+v", res)
	}
	if res := h.sync(incremental, func(j *engine.Job) { j.AllowEmpty = true }); res.Counts.Deleted != 4 {
		t.Errorf("%+v", res)
	}
}

// TestIncrementalDeletesDocumentsThatARuleExcludes: as a full run does.
func TestIncrementalDeletesDocumentsThatARuleExcludes(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	rule := excluding("equals", "hidden")
	h.sync(rule)
	h.set("a", "a1", "hidden")
	h.set("a", "never", "hidden")
	res := h.sync(rule, incremental)
	if res.Counts.Deleted != 1 || res.Counts.Dropped != 2 {
		t.Errorf("%+v", res.Counts)
	}
	if got := h.held(); len(got) != 9 || got["a1"] != "" {
		t.Errorf("%v", got)
	}
}

// TestAFullRunStoresThePositionFromBeforeItRead: the next run finds what changes during the reading.
func TestAFullRunStoresThePositionFromBeforeItRead(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	h.deps.Readers = 1
	h.source.Each = func(part string, n int) {
		if part == "b" && n == 1 { // part a has been read by now
			h.source.Each = nil
			h.set("a", "a1", "changed")
			h.remove("a", "a2")
		}
	}
	h.sync()
	h.sync(incremental)
	h.mirrors()
}

// TestIncrementalLooksUpOnlyWhatChanged: in requests of limited size, however many changes there are.
func TestIncrementalLooksUpOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 2600)
	for i := range 2500 {
		h.set("a", fmt.Sprint("a", i), "changed")
	}
	h.remove("a", "a0")
	h.remove("a", "a2400")
	h.source.History.Share = 1200
	if res := h.sync(incremental); res.Counts.Updated != 2498 || res.Counts.Deleted != 2 || res.Held != 2500 || !res.Incremental {
		t.Errorf("%+v", res)
	}
	h.mirrors()
}

// TestIncrementalUnderATimeLimit: the next run finds the changes that were left.
func TestIncrementalUnderATimeLimit(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	h.set("a", "a1", "changed")
	h.set("b", "b1", "changed")
	h.deps.Readers = 1
	until, over := context.WithCancel(t.Context())
	h.deps.Until = until
	h.source.Blocks = map[string]int{"b": 4} // its changed document
	h.source.Each = func(part string, n int) {
		if part == "b" && n == 4 {
			over()
		}
	}
	if _, err := h.run(t.Context(), incremental); !errors.Is(err, engine.ErrTimeIsUp) {
		t.Errorf("got %v", err)
	}
	h.deps.Until, h.source.Each, h.source.Blocks = nil, nil, nil
	if res := h.sync(incremental); res.Counts.Read != 2 || res.Counts.Kept != 1 || res.Counts.Updated != 1 {
		t.Errorf("%+v", res.Counts)
	}
	h.mirrors()
}

// TestIncrementalOfWantedPartsFollowsAllOfThem: also a part without changes.
func TestIncrementalOfWantedPartsFollowsAllOfThem(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	h.set("a", "a1", "changed")
	asked := map[string]bool{}
	h.sync(incremental, func(j *engine.Job) {
		j.Wants = func(scope string) bool {
			asked[scope] = true
			return scope == "b"
		}
	})
	if !asked["a"] || !asked["b"] {
		t.Errorf("asked for %v", asked)
	}
}

// TestIncrementalAfterAnotherConnector: its position belongs to another source.
func TestIncrementalAfterAnotherConnector(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	h.source.Parts["b"] = h.without("b", "b1") // no event reports it
	other := func(j *engine.Job) { j.Owner = "memory/other" }
	if _, err := h.run(t.Context(), other, incremental); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if res := h.sync(other, incremental, func(j *engine.Job) { j.Adopt = true }); res.Counts.Read != 9 || res.Incremental {
		t.Errorf("%+v", res)
	}
	h.mirrors()
}

// TestIncrementalTriesUnreadableContentAgain: the position stays until the content was read.
func TestIncrementalTriesUnreadableContentAgain(t *testing.T) {
	t.Parallel()
	h := newFollowing(t, 5)
	read := h.source.Parts["a"]
	h.source.Parts["a"] = append(slices.Clone(read), contentDoc("c", "2024-01-01T00:00:00Z", "", errors.New("locked")))
	h.event("a", "c")
	if res := h.sync(incremental); res.Counts.ContentErrors != 1 {
		t.Errorf("%+v", res.Counts)
	}
	h.source.Parts["a"] = append(slices.Clone(read), contentDoc("c", "2024-01-01T00:00:00Z", "text", nil))
	if res := h.sync(incremental); res.Counts.Updated != 1 || res.Counts.ContentErrors != 0 {
		t.Errorf("%+v", res.Counts)
	}
	if res := h.sync(incremental); res.Counts.Read != 0 {
		t.Errorf("%+v", res.Counts)
	}
}
