package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// newRebuild has an index with 40 documents, on a server: an embedded destination has no aliases to move.
func newRebuild(t *testing.T) *harness {
	t.Helper()
	if *destination == "" {
		t.Skip("needs a server: go test ./engine -destination URL")
	}
	h := newHarness(t)
	h.source.Parts["s"] = numbered("s", "x", 40)
	h.sync()
	t.Cleanup(func() { // the harness deletes only what has its own name
		for _, name := range h.indices() {
			removeIndex(t, h.store, h.url+"/"+name)
		}
	})
	return h
}

func (h *harness) rebuild(change ...func(*engine.Job)) (engine.Result, error) {
	h.t.Helper()
	return h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		return engine.Rebuild(h.t.Context(), job, deps)
	}, change...)
}

// settings are some settings of the indices that have the name of the job or begin with it.
func (h *harness) settings() map[string]map[string]any {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(h.t.Context()), http.MethodGet, h.url+"/"+h.job.Index+"*/_settings?flat_settings", http.NoBody)
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := h.store.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	var out map[string]struct {
		Settings map[string]any `json:"settings"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		h.t.Fatal(err)
	}
	settings := map[string]map[string]any{}
	for name, s := range out {
		settings[name] = s.Settings
	}
	return settings
}

func (h *harness) indices() (names []string) {
	h.t.Helper()
	for name := range h.settings() {
		names = append(names, name)
	}
	return names
}

// TestARebuiltIndexTakesTheName: first of an index, then of an alias.
func TestARebuiltIndexTakesTheName(t *testing.T) {
	t.Parallel()
	h := newRebuild(t)
	h.source.Parts["s"][7] = doc("s", "x7", "changed")
	before := h.job.Index
	for round, left := range []int{1, 2} {
		res, err := h.rebuild()
		if err != nil || res.Replaced != before || res.Counts.Created != 40 {
			t.Fatalf("round %d: %v, %+v", round, err, res)
		}
		all := h.settings()
		if len(all) != left || all[res.Index] == nil || !strings.HasPrefix(res.Index, h.job.Index+"-") {
			t.Errorf("round %d: %q among %v", round, res.Index, all)
		}
		if got := all[res.Index]; got["index.number_of_replicas"] != "1" || got["index.refresh_interval"] != nil {
			t.Errorf("round %d: settings of the load remain: %v", round, got)
		}
		if held := h.held(); len(held) != 40 || held["x7"] != "changed" {
			t.Errorf("round %d: %v", round, held)
		}
		if res := h.sync(); res.Differences() {
			t.Errorf("round %d: the next sync wrote: %+v", round, res.Counts)
		}
		before = res.Index
		h.deps.Now = func() time.Time { return time.Now().Add(time.Minute) } // the name of an index has its second
	}
}

// TestAnIncompleteRebuildReplacesNothing: the old index stays unchanged, and the new one is deleted.
func TestAnIncompleteRebuildReplacesNothing(t *testing.T) {
	t.Parallel()
	guarded := map[plan.Reason]int64{plan.GuardRefused: 20}
	tests := map[string]struct {
		change   func(*harness, *engine.Job)
		withheld map[plan.Reason]int64
		err      error
	}{
		"a part fails":           {func(h *harness, _ *engine.Job) { h.source.Fails = map[string]error{"s": errors.New("broken")} }, map[plan.Reason]int64{plan.ScopeFailed: 40}, nil},
		"the guard refuses":      {func(h *harness, _ *engine.Job) { h.source.Parts["s"] = h.source.Parts["s"][:20] }, guarded, nil},
		"fewer are confirmed":    {func(h *harness, j *engine.Job) { h.source.Parts["s"], j.Guard.Confirmed = h.source.Parts["s"][:20], 19 }, guarded, nil},
		"another owner":          {func(_ *harness, j *engine.Job) { j.Owner = "memory/other" }, nil, engine.ErrForeign},
		"a document is rejected": {func(h *harness, _ *engine.Job) { h.source.Parts["s"][0].ID = "" }, nil, nil},
		"the swap is not allowed": {func(h *harness, _ *engine.Job) {
			h.rules = []fault.Rule{{Path: "_aliases", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"x"},"status":403}`)}}
		}, nil, errAny},
		"an empty source": {func(h *harness, _ *engine.Job) { h.source.Parts["s"] = nil }, map[plan.Reason]int64{plan.EmptySource: 40}, nil},
		"a vanished table": {func(h *harness, _ *engine.Job) {
			h.source.Parts = map[string][]document.Document{"t": {doc("t", "1", "v")}}
		}, map[plan.Reason]int64{plan.ScopeVanished: 40}, nil},
		"as many others": {func(h *harness, _ *engine.Job) { h.source.Parts["s"] = numbered("s", "y", 40) }, map[plan.Reason]int64{plan.GuardRefused: 40}, nil},
		"the count is different": {func(h *harness, _ *engine.Job) {
			h.rules = []fault.Rule{{Path: "_count", Answer: fault.JSON(200, `{"count":39,"_shards":{"total":1,"successful":1,"failed":0}}`)}}
		}, nil, errAny},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRebuild(t)
			before := h.held()
			job := h.job
			tt.change(h, &job)
			res, err := h.rebuild(func(j *engine.Job) { j.Owner, j.Guard = job.Owner, job.Guard })
			switch {
			case tt.err == nil && err != nil, tt.err != nil && err == nil, tt.err != nil && !errors.Is(tt.err, errAny) && !errors.Is(err, tt.err):
				t.Errorf("the error is %v", err)
			}
			if res.Replaced != "" || res.Index != h.job.Index {
				t.Errorf("%q was replaced by %q", res.Replaced, res.Index)
			}
			if d := cmp.Diff(tt.withheld, withoutNone(res.Withheld)); d != "" {
				t.Error(d)
			}
			if left := h.indices(); len(left) != 1 {
				t.Errorf("indices: %v", left)
			}
			if d := cmp.Diff(before, h.held()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestASwapWithoutAResponse: the server may have done it. If it has, that is the result; if it has not, it may still do
// it, so nothing is deleted.
func TestASwapWithoutAResponse(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"done": true, "not done": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRebuild(t)
			before := h.held()
			h.rules = []fault.Rule{{Path: "_aliases", After: done}}
			res, err := h.rebuild()
			left := h.indices()
			if done {
				if err != nil || res.Replaced != h.job.Index || len(left) != 1 {
					t.Errorf("%v, %q, %v", err, res.Replaced, left)
				}
			} else if err == nil || res.Replaced != "" || len(left) != 2 || !strings.Contains(err.Error(), "it is not known whether") {
				t.Errorf("%v, %q, %v", err, res.Replaced, left)
			}
			if d := cmp.Diff(before, h.held()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestARebuildForAnotherSourceIsRefused: the same name, but the index mirrors another source.
func TestARebuildForAnotherSourceIsRefused(t *testing.T) {
	t.Parallel()
	h := newRebuild(t)
	h.sync(mirrors(t, "here"), func(j *engine.Job) { j.Adopt = true })
	before := h.held()
	res, err := h.rebuild(mirrors(t, "there"))
	if !errors.Is(err, engine.ErrForeign) || res.Replaced != "" || len(h.indices()) != 1 || !maps.Equal(before, h.held()) {
		t.Errorf("%v, %+v", err, res)
	}
	if res, err := h.rebuild(mirrors(t, "here")); err != nil || res.Replaced == "" {
		t.Errorf("its own source: %v, %+v", err, res)
	}
}

func TestConfirmedRebuildMayHoldFewer(t *testing.T) {
	t.Parallel()
	h := newRebuild(t)
	h.source.Parts["s"] = h.source.Parts["s"][:20]
	res, err := h.rebuild(func(j *engine.Job) { j.Guard.Confirmed = 20 })
	if err != nil || res.Replaced == "" || len(h.held()) != 20 {
		t.Errorf("%v, %+v", err, res)
	}
}

var errAny = errors.New("any error")

func withoutNone(m map[plan.Reason]int64) map[plan.Reason]int64 {
	if len(m) == 0 {
		return nil
	}
	return m
}
