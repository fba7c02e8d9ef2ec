package engine_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSyncMirrors(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one", "2", "two")
	h.put("b", "3", "three")
	res := h.sync()
	if res.Counts.Created != 3 || res.Counts.Read != 3 {
		t.Fatalf("%+v", res.Counts)
	}
	h.put("a", "1", "eins")
	res = h.sync()
	if c := res.Counts; c.Updated != 1 || c.Deleted != 1 || c.Kept != 1 || c.Created != 0 {
		t.Fatalf("%+v", c)
	}
	want := map[string]string{"1": "eins", "3": "three"}
	if d := cmp.Diff(want, h.held()); d != "" {
		t.Fatal(d)
	}
}

func TestASecondSyncWritesNothing(t *testing.T) {
	t.Parallel()
	for _, byVersion := range []bool{false, true} {
		h := newHarness(t)
		h.source.ByVersion = byVersion
		h.put("a", "1", "one", "2", `quoted "two" \ ä`)
		for i := range h.source.Parts["a"] {
			h.source.Parts["a"][i].Timestamp = "2024-01-02T03:04:05+00:00"
		}
		h.sync()
		res := h.sync()
		if res.Differences() || res.Counts.Kept != 2 {
			t.Errorf("by version %v: %+v", byVersion, res.Counts)
		}
		for _, r := range h.sent {
			if strings.Contains(r, "_bulk") || strings.Contains(r, "_mapping") {
				t.Errorf("by version %v: the second sync sent %s", byVersion, r)
			}
		}
	}
}

func TestDiffWritesNothingAndPredictsTheSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	res := h.diff()
	if res.Counts.Created != 1 || !res.Differences() {
		t.Fatalf("%+v", res.Counts)
	}
	if slices.ContainsFunc(h.sent, writes) {
		t.Fatalf("diff sent %v", h.sent)
	}
	h.put("a", "1", "one", "2", "two", "3", "three")
	h.sync()
	h.put("a", "1", "uno", "3", "three", "4", "four")
	h.diff(func(j *engine.Job) { j.Fields = true })
	predicted := map[string]map[string]string{}
	for _, kind := range []string{"create", "update", "delete"} {
		predicted[kind] = h.seen.of(kind)
	}
	if slices.ContainsFunc(h.sent, writes) {
		t.Fatalf("diff sent %v", h.sent)
	}
	for _, c := range h.seen.changes {
		if c.Kind == "update" && (len(c.Fields) != 1 || c.Fields[0].Name != "v" || string(c.Fields[0].Old) != `"one"` || string(c.Fields[0].New) != `"uno"`) {
			t.Errorf("fields: %+v", c.Fields)
		}
	}
	h.sync()
	for kind, want := range predicted {
		if d := cmp.Diff(want, h.seen.of(kind)); d != "" || len(want) != 1 {
			t.Errorf("%s: %s", kind, d)
		}
	}
	if res := h.diff(); res.Differences() {
		t.Fatalf("diff after sync: %+v", res.Counts)
	}
}

// writes reports whether a request writes. A refresh and a point in time do not count.
func writes(r string) bool {
	method, path, _ := strings.Cut(r, " ")
	return method != "GET" && method != "HEAD" && !strings.HasSuffix(path, "_search") &&
		!strings.HasSuffix(path, "_refresh") && !strings.HasSuffix(path, "_pit")
}

// TestAScopeThatWasNotReadLosesNothing: one part fails half-way; the others are mirrored.
func TestAScopeThatWasNotReadLosesNothing(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 5, "b": 5})
	h.fill(map[string]int{"a": 2, "b": 4})
	h.source.Fails = map[string]error{"a": &source.Error{Kind: source.ErrAuth, Part: "a", Err: errors.New("denied")}}
	h.source.FailsAt = 1
	res := h.sync()
	if !res.Incomplete() || res.Failed != 1 || res.Counts.Deleted != 1 || res.Withheld[plan.ScopeFailed] != 4 || res.WithheldDeletes() != 0 {
		t.Fatalf("%+v", res)
	}
	if n := len(h.held()); n != 9 {
		t.Fatalf("%d documents are left, want 9", n)
	}
}

// TestScopesThatWereReadCompletelyAreCounted: of the wanted ones.
func TestScopesThatWereReadCompletelyAreCounted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		wants    func(string) bool
		cancelAt string
		read, of int64
	}{
		"one of four fails":       {nil, "", 3, 4},
		"only that one is wanted": {func(scope string) bool { return scope == "b" }, "", 0, 1},
		"one and another":         {func(scope string) bool { return scope < "c" }, "", 1, 2},
		"the run is canceled":     {nil, "a", 0, 4},
	} {
		h := newHarness(t)
		h.deps.Readers = 1
		h.fill(map[string]int{"a": 3, "b": 3, "c": 3, "d": 3})
		h.source.Fails = map[string]error{"b": errors.New("denied")}
		ctx, cancel := context.WithCancel(t.Context())
		h.source.Each = func(part string, _ int) {
			if part == tt.cancelAt {
				cancel()
			}
		}
		res, _ := h.run(ctx, func(j *engine.Job) { j.Wants = tt.wants }) // its error is that of the cancellation
		cancel()
		if res.ScopesRead != tt.read || tt.cancelAt == "" && res.Scopes != tt.of {
			t.Errorf("%s: %d of %d, want %d of %d", name, res.ScopesRead, res.Scopes, tt.read, tt.of)
		}
	}
}

func TestATemporaryFailureOfTheSourceDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 5, "b": 5})
	h.source.Parts["b"] = numbered("b", "b", 4)
	h.source.Fails = map[string]error{"a": &source.Error{Kind: source.ErrUnreachable, Part: "a", Err: errors.New("no route to host")}}
	_, err := h.run(t.Context())
	if !errors.Is(err, source.ErrUnreachable) || len(h.held()) != 10 {
		t.Fatalf("%v, %d documents", err, len(h.held()))
	}
}

func TestAnIncompleteListOfPartsDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 5, 4)
	h.source.ListErr = errors.New("the catalog ended early")
	res := h.sync()
	if res.Counts.Deleted != 0 || res.Withheld[plan.ListIncomplete] != 1 || !res.Incomplete() {
		t.Fatalf("%+v", res)
	}
}

func TestAVanishedScopeIsHeldBackUntilConfirmed(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 50, "b": 2})
	delete(h.source.Parts, "b")
	res := h.sync()
	if res.Counts.Deleted != 0 || res.Withheld[plan.ScopeVanished] != 2 || res.WithheldDeletes() != 2 {
		t.Fatalf("%+v", res)
	}
	res = h.sync(func(j *engine.Job) { j.Guard.Confirmed = 1 })
	if res.Counts.Deleted != 0 || res.Withheld[plan.GuardRefused] != 2 {
		t.Fatalf("too few confirmed: %+v", res)
	}
	res = h.sync(func(j *engine.Job) { j.Guard.Confirmed = 2 })
	if res.Counts.Deleted != 2 || res.WithheldDeletes() != 0 {
		t.Fatalf("confirmed: %+v", res)
	}
}

func TestTheDeleteGuard(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		held, left int
		guard      engine.Guard
		deleted    int64
	}{
		{"ten of a hundred", 100, 90, engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1}, 10},
		{"ten of twenty: not more than ten", 20, 10, engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1}, 10},
		{"eleven of twenty", 20, 9, engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1}, 0},
		{"eleven of 110: not more than a tenth", 110, 99, engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1}, 11},
		{"twelve of 110", 110, 98, engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1}, 0},
		{"a number alone", 100, 94, engine.Guard{Deletes: 5, Confirmed: -1}, 0},
		{"a percentage alone", 20, 18, engine.Guard{Percent: 5, Confirmed: -1}, 0},
		{"confirmed exactly", 20, 5, engine.Guard{Deletes: 10, Percent: 10, Confirmed: 15}, 15},
		{"confirmed too few", 20, 5, engine.Guard{Deletes: 10, Percent: 10, Confirmed: 14}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.job.Guard = tc.guard
			h.source.Parts["a"] = numbered("a", "a", tc.held)
			h.sync()
			h.source.Parts["a"] = append(numbered("a", "a", tc.left), doc("a", "new", "v"))
			res := h.sync()
			heldBack := int64(tc.held-tc.left) - tc.deleted
			if res.Counts.Deleted != tc.deleted || res.Withheld[plan.GuardRefused] != heldBack || res.Counts.Created != 1 {
				t.Fatalf("deleted %d, held back %d, created %d; want %d, %d, 1",
					res.Counts.Deleted, res.Withheld[plan.GuardRefused], res.Counts.Created, tc.deleted, heldBack)
			}
		})
	}
}

func TestAnEmptySourceNeedsAllowEmpty(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 30})
	h.source.Parts["a"] = nil
	res := h.sync(func(j *engine.Job) { j.Guard.Confirmed = 1000 })
	if res.Counts.Deleted != 0 || res.Withheld[plan.EmptySource] != 30 {
		t.Fatalf("%+v", res)
	}
	res = h.sync(func(j *engine.Job) { j.AllowEmpty = true })
	if res.Counts.Deleted != 30 {
		t.Fatalf("%+v", res)
	}
}

func TestAForeignIndexLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.write("theirs", `{"scope":"a","v":"theirs"}`)
	res := h.sync()
	if res.Counts.Created != 1 || res.Withheld[plan.ForeignIndex] != 1 {
		t.Fatalf("without an owner: %+v", res)
	}
	res = h.sync(func(j *engine.Job) { j.Adopt = true })
	if res.Counts.Deleted != 1 {
		t.Fatalf("adopted: %+v", res)
	}
	h.put("a")
	h.put("b", "2", "two")
	for _, dry := range []bool{true, false} {
		res, err := h.run(t.Context(), func(j *engine.Job) { j.Owner, j.DryRun = "memory/other", dry })
		if !errors.Is(err, engine.ErrForeign) || res.Counts.Created != 0 || len(h.held()) != 1 {
			t.Fatalf("another's: %+v, %v", res, err)
		}
	}
	// The first owner remains the owner, even while its index is empty.
	if res := h.sync(); res.Counts.Deleted != 1 {
		t.Fatalf("the owner: %+v", res)
	}
	h.put("b")
	h.sync(func(j *engine.Job) { j.AllowEmpty = true })
	if _, err := h.run(t.Context(), func(j *engine.Job) { j.Owner = "memory/other" }); !errors.Is(err, engine.ErrForeign) {
		t.Fatalf("an empty index of another owner: %v", err)
	}
}

// TestOwnerIsInMetaFromTheFirstWrite: even if the response to the first request is lost.
func TestOwnerIsInMetaFromTheFirstWrite(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.rules = []fault.Rule{{Path: "_bulk", Answer: fault.JSON(401, `{"error":{"type":"security_exception","reason":"no"},"status":401}`)}}
	if _, err := h.run(t.Context()); err == nil {
		t.Fatal("no error")
	}
	ix, err := h.client().Index(t.Context(), h.job.Index)
	if err != nil || ix.Marker.Owner != "memory/test" || ix.Marker.Fingerprint != "" {
		t.Fatalf("%+v, %v", ix, err)
	}
	h.sync()
	ix, err = h.client().Index(t.Context(), h.job.Index)
	if err != nil || ix.Marker.Fingerprint == "" {
		t.Fatalf("fingerprint at the end: %+v, %v", ix, err)
	}
}

// TestADocumentWrittenSinceTheScanSurvives: the delete is guarded by the sequence number of the scan.
func TestADocumentWrittenSinceTheScanSurvives(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 3, 2)
	h.source.Each = func(_ string, n int) {
		if n == 1 {
			h.write("a2", `{"id":"a2","scope":"a","v":"mine"}`)
		}
	}
	res := h.sync()
	if res.Counts.Deleted != 0 || h.held()["a2"] != "mine" || h.seen.of("keep")["a2"] != string(plan.ChangedSince) {
		t.Fatalf("%+v, %v", res.Counts, h.seen.changes)
	}
}

func TestALostPointInTimeDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newSynced(t, map[string]int{"a": 3})
	h.source.Parts["a"] = append(numbered("a", "a", 2), doc("a", "new", "v"))
	lost := fault.JSON(404, `{"error":{"root_cause":[{"type":"search_context_missing_exception","reason":"No search context found for id [1]"}],"type":"search_phase_execution_exception","reason":"all shards failed"},"status":404}`)
	h.rules = []fault.Rule{{Path: "_search", Skip: 1, Answer: lost}}
	res := h.sync()
	if res.Counts.Deleted != 0 || res.Counts.Created != 1 || res.Withheld[plan.PointInTimeLost] != 1 {
		t.Fatalf("%+v", res)
	}
	// If it is lost during the scan, it is opened again.
	h.rules = []fault.Rule{{Path: "_search", Times: 1, Answer: lost}}
	if res := h.sync(); res.Counts.Deleted != 1 || res.Counts.Kept != 3 {
		t.Fatalf("%+v", res)
	}
}

func TestARefusedRefreshDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 3, 2)
	h.rules = []fault.Rule{{Path: "_refresh", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)}}
	res := h.sync()
	if res.Counts.Deleted != 0 || res.Withheld[plan.RefreshRefused] != 1 || res.WithheldDeletes() != 1 {
		t.Fatalf("%+v", res)
	}
}

// TestIdsThatCollideAreNamed: within one run, whether the id is new or already in the index.
func TestIdsThatCollideAreNamed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.deps.Readers = 1
	h.put("a", "x", "from a", "x", "from a again")
	h.put("b", "x", "from b")
	for range 2 {
		res := h.sync()
		if res.Counts.Duplicates != 2 || !res.Incomplete() {
			t.Fatalf("%+v", res)
		}
		if s := h.seen.failures(); !strings.Contains(s, "b x: has the same id as a document of a") {
			t.Fatalf("failures: %s", s)
		}
		if d := cmp.Diff(map[string]string{"x": "from a"}, h.held()); d != "" {
			t.Fatal(d)
		}
	}
}

func TestIdsOver512BytesAreHashed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", strings.Repeat("i", 513), "long", "\xff\xfe", "not UTF-8", "\xff\xfd", "nor this")
	h.sync()
	if n := len(h.held()); n != 3 {
		t.Fatalf("%d documents", n)
	}
	if res := h.sync(); res.Differences() {
		t.Fatalf("%+v", res.Counts)
	}
}

func TestAnEmptyIdIsDeadLettered(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "", "nameless", "1", "one")
	res := h.sync()
	if res.Counts.Rejected != 1 || res.Counts.Created != 1 || !res.Incomplete() {
		t.Fatalf("%+v", res)
	}
	raw, err := os.ReadFile(h.dead)
	if err != nil || !strings.Contains(string(raw), "nameless") {
		t.Fatalf("%s, %v", raw, err)
	}
}

// TestDeletedDocumentsAreSavedFirst: complete, as the index held them, and only documents that are deleted.
func TestDeletedDocumentsAreSavedFirst(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 3, 1)
	h.deleted = docfile.NewDeleted(filepath.Join(t.TempDir(), "deleted.ndjson"))
	h.diff()
	h.sync(func(j *engine.Job) { j.Guard = engine.Guard{Deletes: 1, Confirmed: -1} })
	if n := h.deleted.Count(); n != 0 {
		t.Fatalf("%d documents were saved before any was deleted", n)
	}
	// If the file cannot be written, nothing is deleted.
	h.deleted = docfile.NewDeleted(filepath.Join(os.DevNull, "deleted.ndjson"))
	if res, err := h.run(t.Context()); err == nil || res.Counts.Deleted != 0 || len(h.held()) != 3 {
		t.Fatalf("%v, %+v", err, res.Counts)
	}
	h.deleted = docfile.NewDeleted(filepath.Join(t.TempDir(), "deleted.ndjson"))
	h.sync()
	if err := h.deleted.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(h.deleted.Path())
	if err != nil || len(h.held()) != 1 {
		t.Fatal(err, h.held())
	}
	for _, want := range []string{`"id":"a1"`, `"id":"a2"`, `"part":"a","reason":"gone from source","document":{"id":"a1","scope":"a","v":"v",`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in\n%s", want, raw)
		}
	}
}

func TestARuleRemovesWhatItExcludes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "keep", "2", "drop this")
	h.sync()
	res := h.sync(excluding("starts_with", "drop"))
	if res.Counts.Deleted != 1 || res.Counts.Dropped != 1 || h.seen.of("delete")["2"] != string(plan.ExcludedByRule) {
		t.Fatalf("%+v", res.Counts)
	}
}

// TestOnlyWantedScopesAreReadAndDeletedIn tests --part.
func TestOnlyWantedScopesAreReadAndDeletedIn(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one", "2", "two")
	h.put("b", "3", "three", "4", "four")
	h.sync()
	h.put("a", "1", "one")
	h.put("b", "3", "three")
	res := h.sync(func(j *engine.Job) { j.Wants = func(scope string) bool { return scope == "a" } })
	got := slices.Sorted(maps.Keys(h.held()))
	if d := cmp.Diff([]string{"1", "3", "4"}, got); d != "" || res.Counts.Read != 1 || res.Counts.Withheld != 0 {
		t.Fatalf("%s %+v", d, res)
	}
}

func TestCancelingKeepsDocumentsAlreadyReadAndDeletesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = numbered("a", "old", 5)
	h.sync()
	h.source.Parts["a"] = numbered("a", "new", 50)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the signal")
	h.source.Each = func(_ string, n int) {
		if n == 25 {
			cancel(cause)
		}
	}
	res, err := h.run(ctx)
	if !errors.Is(err, cause) || res.Counts.Deleted != 0 || res.Counts.Created != 25 || len(h.held()) != 30 {
		t.Fatalf("%v, %+v, %d documents", err, res.Counts, len(h.held()))
	}
}

func TestAPanicOfASourceEndsTheRunInOrder(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = numbered("a", "a", 30)
	h.source.Each = func(_ string, n int) {
		if n == 20 {
			panic("a driver's fault")
		}
	}
	_, err := h.run(t.Context())
	if p, ok := errors.AsType[*crash.Error](err); !ok || p.Value != "a driver's fault" {
		t.Fatalf("%v", err)
	}
}

// TestContentComparisonIsOverACanonicalForm: another program's spelling of a document is the same document.
func TestContentComparisonIsOverACanonicalForm(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.sync()
	h.write("1", `{ "v": "one", "scope":"a",  "id":"1" }`)
	if res := h.sync(); res.Differences() || res.Counts.Kept != 1 {
		t.Fatalf("%+v", res.Counts)
	}
}

// TestPointInTimeIsTheSameForScanAndDeletes: documents that arrive between the two are ignored.
func TestPointInTimeIsTheSameForScanAndDeletes(t *testing.T) {
	t.Parallel()
	h := newShrunk(t, 3, 2)
	h.source.Each = func(_ string, n int) {
		if n == 0 {
			h.write("stranger", `{"id":"stranger","scope":"a","v":"x"}`)
		}
	}
	res := h.sync()
	if res.Counts.Deleted != 1 || h.held()["stranger"] != "x" {
		t.Fatalf("%+v %v", res.Counts, h.held())
	}
}

// TestRefreshComesBeforeTheScan: the next run sees the last writes of an interrupted run.
func TestRefreshComesBeforeTheScan(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.sync()
	refresh := slices.IndexFunc(h.sent, func(s string) bool { return strings.HasSuffix(s, "_refresh") })
	pit := slices.IndexFunc(h.sent, func(s string) bool { return strings.HasSuffix(s, "_pit") })
	if refresh < 0 || pit < refresh {
		t.Fatalf("%v", h.sent)
	}
}

// TestContentLongerAsJSON: text may be many times longer in JSON than announced, if it is short, contains control
// characters, uses another character set, or has grown since it was listed.
func TestContentLongerAsJSON(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i, text := range []string{"x", `"`, strings.Repeat("\x1b", 1000), "\x80\x80\x80", strings.Repeat("\x80", 1000)} {
		h.source.Parts["a"] = append(h.source.Parts["a"], contentDoc(strconv.Itoa(i), "2024-01-01T00:00:00+00:00", text, nil))
	}
	grown := contentDoc("grown", "2024-01-01T00:00:00+00:00", strings.Repeat("more ", 1000), nil)
	grown.Content.Size = 10
	h.source.Parts["a"] = append(h.source.Parts["a"], grown)
	res := h.sync()
	if res.Counts.ContentErrors != 0 || res.Counts.Created != 6 || res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	for id, source := range h.sources() {
		if !strings.Contains(string(source), `"body":"`) {
			t.Errorf("%s has no text: %s", id, source)
		}
	}
	if res := h.sync(); res.Differences() {
		t.Fatalf("%+v", res.Counts)
	}
}

func TestContentThatCannotBeReadIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.ByVersion = true
	good := contentDoc("1", "2024-01-01T00:00:00+00:00", "hello", nil)
	h.source.Parts["a"] = []document.Document{good}
	h.sync()
	bad := errors.New("read error")
	h.source.Parts["a"] = []document.Document{
		contentDoc("1", "2024-01-02T00:00:00+00:00", "", bad),
		contentDoc("2", "2024-01-02T00:00:00+00:00", "", bad),
	}
	res := h.sync()
	if res.Counts.ContentErrors != 2 || res.Counts.Kept != 1 || res.Counts.Created != 1 || !res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	if s := string(h.sources()["1"]); !strings.Contains(s, "hello") {
		t.Fatalf("the older copy is %s", s)
	}
	h.source.Parts["a"] = []document.Document{
		contentDoc("1", "2024-01-02T00:00:00+00:00", "hello again", nil),
		contentDoc("2", "2024-01-02T00:00:00+00:00", "new", nil),
	}
	if res := h.sync(); res.Counts.Updated != 2 || res.Incomplete() {
		t.Fatalf("%+v", res.Counts)
	}
	if res := h.sync(); res.Differences() {
		t.Fatalf("%+v", res.Counts)
	}
}
