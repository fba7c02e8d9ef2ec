package engine_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
)

// savePlan runs a diff that saves its changes, and loads them.
func savePlan(h *harness, change ...func(*engine.Job)) *planfile.Plan {
	h.t.Helper()
	w := planfile.NewWriter(filepath.Join(h.t.TempDir(), "plan"), planfile.Header{Connector: "test"})
	h.deps.Save = w
	defer func() { h.deps.Save = nil }()
	if _, err := h.run(h.t.Context(), append(change, func(j *engine.Job) { j.DryRun = true })...); err != nil {
		h.t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		h.t.Fatal(err)
	}
	p, err := planfile.Load(w.Path())
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func with(p *planfile.Plan) func(*engine.Job) { return func(j *engine.Job) { j.Plan = p } }

// planned prepares an index and a source that differs in one create, two updates and two deletes.
func planned(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.put("s", "keep", "1", "up", "1", "up2", "1", "gone", "1", "gone2", "1")
	h.sync()
	h.put("s", "keep", "1", "up", "2", "up2", "2", "new", "1")
	return h
}

func TestASyncWithAPlanDoesAllOfIt(t *testing.T) {
	t.Parallel()
	h := planned(t)
	p := savePlan(h)
	if p.Len() != 5 || !p.Concerns("s") || p.Concerns("other") {
		t.Errorf("%d changes are planned", p.Len())
	}
	res := h.sync(with(p))
	if same, moved, gone := p.Counts(); same != 5 || moved+gone != 0 || res.WithheldDeletes() != 0 {
		t.Errorf("%d same, %d moved, %d gone, %+v", same, moved, gone, res.Withheld)
	}
	if d := cmp.Diff(map[string]string{"keep": "1", "up": "2", "up2": "2", "new": "1"}, h.held()); d != "" {
		t.Error(d)
	}
	if res := h.sync(); res.Differences() {
		t.Errorf("the next sync wrote: %+v", res.Counts)
	}
}

// TestASyncWithAPlanDoesAtMostThePlan: what has moved since then is held back, and so is what is new.
func TestASyncWithAPlanDoesAtMostThePlan(t *testing.T) {
	t.Parallel()
	h := planned(t)
	p := savePlan(h)
	h.put("s", "keep", "9", "up", "2", "up2", "3", "other", "1", "gone2", "7") // new has gone again, gone2 has returned
	h.write("gone", `{"id":"gone","scope":"s","v":"edited by another program"}`)
	res := h.sync(with(p))
	want := map[plan.Reason]int64{plan.NotInPlan: 2, plan.MovedSincePlan: 3}
	if d := cmp.Diff(want, res.Withheld); d != "" {
		t.Error(d)
	}
	if same, moved, gone := p.Counts(); same != 1 || moved != 3 || gone != 1 {
		t.Errorf("%d same, %d moved, %d gone", same, moved, gone)
	}
	if d := cmp.Diff(map[string]string{"keep": "1", "up": "2", "up2": "1", "gone": "edited by another program", "gone2": "1"}, h.held()); d != "" {
		t.Error(d)
	}
	h.sync()
	if d := cmp.Diff(map[string]string{"keep": "9", "up": "2", "up2": "3", "other": "1", "gone2": "7"}, h.held()); d != "" {
		t.Error(d)
	}
}

// TestAPlanReplacesTheGuard: its deletes were reviewed. Deletes that the guard held back in the diff are not
// in the plan.
func TestAPlanReplacesTheGuard(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["s"] = numbered("s", "x", 40)
	h.sync()
	h.source.Parts["s"] = h.source.Parts["s"][:5]
	if p := savePlan(h); p.Len() != 0 {
		t.Errorf("%d changes are planned", p.Len())
	}
	p := savePlan(h, func(j *engine.Job) { j.Guard = engine.Guard{Deletes: 100, Confirmed: -1} })
	if res := h.sync(with(p)); res.Counts.Deleted != 35 {
		t.Errorf("%+v", res.Counts)
	}
}

func TestAPlanForAnotherIndexIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]func(h *harness, j *engine.Job){
		"another owner": func(_ *harness, j *engine.Job) { j.Owner = "memory/other" },
		"another index": func(_ *harness, j *engine.Job) { j.Index += "-2" },
		"created again": func(h *harness, _ *engine.Job) { removeIndex(h.t, h.store, h.url+"/"+h.job.Index); h.sync() },
		"deleted since": func(h *harness, _ *engine.Job) { removeIndex(h.t, h.store, h.url+"/"+h.job.Index) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := planned(t)
			p := savePlan(h)
			before := h.held()
			job := h.job
			change(h, &job)
			res, err := h.run(t.Context(), func(j *engine.Job) { j.Owner, j.Index, j.Plan = job.Owner, job.Index, p })
			if !errors.Is(err, engine.ErrConfig) || res.Differences() {
				t.Errorf("%v, %+v", err, res.Counts)
			}
			if name == "another owner" && !maps.Equal(before, h.held()) {
				t.Error("the index has changed")
			}
		})
	}
}

// TestAPlanForANewIndexCanBeRepeated: the run that created the index may have been interrupted, or have held changes
// back.
func TestAPlanForANewIndexCanBeRepeated(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("s", "a", "1", "b", "1")
	p := savePlan(h)
	h.put("s", "a", "1", "b", "2")
	if res := h.sync(with(p)); res.Counts.Created != 1 || res.Withheld[plan.MovedSincePlan] != 1 {
		t.Fatalf("%+v", res)
	}
	h.put("s", "a", "1", "b", "1")
	if res := h.sync(with(p)); res.Counts.Created != 1 || res.Counts.Kept != 1 || res.WithheldDeletes() != 0 {
		t.Errorf("%+v", res)
	}
}

// TestARecheckReportsOnlyThePlan: of what differed, a recheck distinguishes drift from documents in motion.
func TestARecheckReportsOnlyThePlan(t *testing.T) {
	t.Parallel()
	h := planned(t)
	h.put("t", "a", "1")
	p := savePlan(h)
	h.put("s", "keep", "9", "up", "2", "up2", "3", "other", "1")
	res, err := h.run(t.Context(), with(p), func(j *engine.Job) { j.DryRun, j.Wants = true, p.Concerns })
	if err != nil {
		t.Fatal(err)
	}
	if same, moved, gone := p.Counts(); same != 4 || moved != 1 || gone != 1 {
		t.Errorf("%d same, %d moved, %d gone", same, moved, gone)
	}
	var ids []string
	for _, c := range h.seen.changes {
		if c.Kind != plan.Keep.String() {
			ids = append(ids, c.ID)
		}
	}
	slices.Sort(ids)
	if d := cmp.Diff([]string{"a", "gone", "gone2", "up", "up2"}, ids); d != "" {
		t.Errorf("%s\n%+v", d, res.Counts)
	}
}
