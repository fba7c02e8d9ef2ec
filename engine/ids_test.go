package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// TestAllTestsPassWithIDsInAFile runs the tests of this package again, with no memory for ids.
func TestAllTestsPassWithIDsInAFile(t *testing.T) {
	t.Parallel()
	if *idsMemory == 1 {
		t.Skip("this is that run")
	}
	args := []string{"-test.run", "^Test", "-test.skip", "Killed|AllAgain|ImportTable", "-ids-memory", "1", "-destination", *destination, "-model-runs", fmt.Sprint(max(*modelRuns/4, 1))}
	out, err := exec.CommandContext(t.Context(), os.Args[0], args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestIDsBeyondMemory: new, known, deleted and repeated ids, all in a file; a diff reports the same.
func TestIDsBeyondMemory(t *testing.T) {
	t.Parallel()
	const n = 6000
	h := newHarness(t)
	h.deps.IDsMemory, h.deps.Operations = 1, 500
	twice := func() { // "b" repeats some ids of "a", after "a" if there is one reader
		h.source.Parts["b"] = append(h.source.Parts["b"], h.source.Parts["a"][:50]...)
	}
	h.deps.Readers = 1
	h.source.Parts["a"], h.source.Parts["b"] = numbered("a", "a", n), numbered("b", "b", n)
	twice()
	want := func(res engine.Result, created, deleted, kept, duplicates int64) {
		t.Helper()
		c := res.Counts
		got := []int64{c.Created, c.Updated, c.Deleted, c.Kept, c.Duplicates}
		if d := cmp.Diff([]int64{created, 0, deleted, kept, duplicates}, got); d != "" {
			t.Fatal(d)
		}
		if duplicates > 0 && !strings.Contains(h.seen.failures(), "has the same id as a document of a, which was kept") {
			t.Fatalf("%.500s", h.seen.failures())
		}
	}
	want(h.diff(), 2*n, 0, 0, 50)
	want(h.sync(), 2*n, 0, 0, 50)
	want(h.sync(), 0, 0, 2*n, 50)
	h.source.Parts["a"] = h.source.Parts["a"][:n-100]
	h.source.Parts["b"] = append(numbered("b", "b", n-100), numbered("b", "new", 1000)...)
	h.deps.Readers = 4
	want(h.diff(), 1000, 200, 2*n-200, 0)
	want(h.sync(), 1000, 200, 2*n-200, 0)
	if res := h.sync(); res.Differences() || len(h.held()) != 2*n+800 {
		t.Fatalf("%+v, %d held", res.Counts, len(h.held()))
	}
	if reasons := slices.Compact(slices.Sorted(maps.Values(h.seen.of("keep")))); !slices.Equal(reasons, []string{string(plan.Unchanged)}) {
		t.Fatalf("%q", reasons)
	}
}

// TestIDsThatCannotBeKeptEndTheRun: nothing is deleted, and documents already written stay.
func TestIDsThatCannotBeKeptEndTheRun(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 100, 95)
	h.deps.IDsMemory, h.deps.IDsDir = 1, filepath.Join(h.dead, "no folder")
	if err := os.WriteFile(h.dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		res, err := h.run(context.Background(), func(j *engine.Job) { j.DryRun = dry })
		if !errors.Is(err, ids.ErrFile) || res.Counts.Read != 0 || res.Counts.Deleted != 0 {
			t.Fatalf("%v, %+v", err, res.Counts)
		}
	}
	// The index is empty at first, and new ids do not fit.
	h.job.Index += "-new"
	h.source.Parts["a"] = numbered("a", "a", 5000)
	res, err := h.run(context.Background())
	if !errors.Is(err, ids.ErrFile) || res.Counts.Created == 0 || res.Counts.Created > 4000 || res.Counts.Deleted != 0 {
		t.Fatalf("%v, %+v", err, res.Counts)
	}
	if *destination != "" {
		removeIndex(t, h.store, h.url+"/"+h.job.Index)
	}
}

// TestTheSameDocumentOfSeveralIsKept in every run, although several parts could be read concurrently.
func TestTheSameDocumentOfSeveralIsKept(t *testing.T) {
	t.Parallel()
	for _, limited := range []bool{false, true} {
		h := newHarness(t)
		h.deps.Readers = 4
		if limited {
			h.deps.Until = context.WithoutCancel(t.Context())
			var turns map[string]int64
			h.deps.Turns = engine.Turns{
				Load: func(string) (map[string]int64, error) { return turns, nil },
				Save: func(_ string, kept map[string]int64) error { turns = kept; return nil },
			}
		}
		var order []string // of the parts; a part may only begin after the one before it has ended
		h.source.Each = func(part string, n int) {
			runtime.Gosched()
			if n == 0 {
				order = append(order, part)
			} else if order[len(order)-1] != part {
				t.Errorf("%s is read while %s is", part, order[len(order)-1])
			}
		}
		for _, part := range []string{"a", "b", "c", "d"} {
			h.source.Parts[part] = append(numbered(part, part, 50), doc(part, "x", "from "+part))
		}
		shared := func(j *engine.Job) { j.Type.SharedIDs = func(field.Values) bool { return true } }
		h.sync(shared)
		res := h.sync(shared)
		if want := slices.Repeat([]string{"a", "b", "c", "d"}, 2); !slices.Equal(order, want) {
			t.Errorf("the parts were read in the order %v, want %v", order, want)
		}
		if res.Counts.Updated != 0 || res.Counts.Duplicates != 3 || h.held()["x"] != "from a" {
			t.Errorf("%+v, %q", res.Counts, h.held()["x"])
		}
		h.put("z", "x", "from z") // a part without a turn
		if res := h.sync(shared); res.Counts.Updated != 0 || res.Counts.Duplicates != 4 || h.held()["x"] != "from a" {
			t.Errorf("limited %v: %+v, %q", limited, res.Counts, h.held()["x"])
		}
	}
}
