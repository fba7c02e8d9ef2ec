package engine_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// TestTheSameNameForAnotherSource: two configuration files that use one name for different sources delete none of
// each other's documents, and --adopt decides which one owns the index.
func TestTheSameNameForAnotherSource(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	at := func(place string) func(*engine.Job) { return mirrors(t, place) }
	h.put("a", "1", "one")
	h.sync(at("here"))
	h.put("a", "2", "two")
	for range 2 {
		res := h.sync(at("there"))
		if res.Withheld[plan.ForeignIndex] != 1 || res.Counts.Deleted != 0 || len(h.held()) != 2 {
			t.Fatalf("another place: %+v", res)
		}
	}
	if res := h.sync(at("there"), func(j *engine.Job) { j.Adopt = true }); res.Counts.Deleted != 1 {
		t.Fatalf("adopted: %+v", res)
	}
	if res := h.sync(at("there")); res.Counts.Kept != 1 || res.WithheldDeletes() != 0 {
		t.Fatalf("its own now: %+v", res)
	}
}

// mirrors makes a job one of the source at a place.
func mirrors(t *testing.T, place string) func(*engine.Job) {
	t.Helper()
	return func(j *engine.Job) {
		values, err := field.Parse([]field.Spec{{Name: "place", Label: "Place", Order: 1}}, map[string]any{"place": place})
		if err != nil {
			t.Fatal(err)
		}
		j.Values = values
		j.Type.IdentityFields = func(field.Values) []string { return []string{"place"} }
	}
}

// TestAnIndexWithoutAnOwnerIsTakenWhenNothingIsLost: no consent is needed if the source has every document that
// another program wrote.
func TestAnIndexWithoutAnOwnerIsTakenWhenNothingIsLost(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.write("1", `{"scope":"a","v":"old"}`)
	h.put("a", "1", "one", "2", "two")
	if res := h.sync(); res.Counts.Updated != 1 || res.WithheldDeletes() != 0 {
		t.Fatalf("%+v", res)
	}
	h.put("a", "2", "two")
	if res := h.sync(); res.Counts.Deleted != 1 {
		t.Fatalf("the next run: %+v", res)
	}
}

// TestAnotherRoutingIsRefused: an update would reach another shard and leave two documents with one id.
func TestAnotherRoutingIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	body := []byte(`{"index":{"_id":"1","routing":"eu"}}` + "\n{}\n")
	if _, err := h.client().Bulk(t.Context(), elastic.Bulk{Index: h.job.Index, Body: body, Count: 1, ID: func(int) string { return "1" }}); err != nil {
		t.Fatal(err)
	}
	h.put("a", "1", "one")
	if res, err := h.run(t.Context(), func(j *engine.Job) { j.Adopt = true }); !errors.Is(err, engine.ErrConfig) || res.Counts.Updated != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
}

// TestPartialReadDeletesNothing: nothing is deleted in a part whose reading stops early, and nothing at all after
// a reader was lost.
func TestPartialReadDeletesNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		breaks func(h *harness)
		kept   int // documents that still exist, of 60
	}{
		{"a part stops without confirming its end", func(h *harness) { h.source.Quiet, h.source.FailsAt = map[string]bool{"a": true}, 3 }, 59},
		{"a reader is lost", func(h *harness) {
			h.source.Each = func(part string, n int) {
				if part == "a" && n == 3 {
					runtime.Goexit()
				}
			}
		}, 60},
		{"a reader panics", func(h *harness) {
			h.source.Each = func(part string, n int) {
				if part == "a" && n == 3 {
					panic("a driver's fault")
				}
			}
		}, 60},
	} {
		for _, readers := range []int{1, 8} {
			h := newHarness(t)
			h.deps.Readers = readers
			h.source.Parts["a"], h.source.Parts["b"] = numbered("a", "a", 30), numbered("b", "b", 30)
			h.sync()
			h.source.Parts["a"] = h.source.Parts["a"][:25]
			h.source.Parts["b"] = h.source.Parts["b"][:29]
			tc.breaks(h)
			res, err := h.run(t.Context())
			if err == nil && (res.Failed == 0 || len(h.held()) != tc.kept) || err != nil && len(h.held()) != 60 {
				t.Errorf("%s, %d readers: %v, %d failed, %d documents are left, want %d", tc.name, readers, err, res.Failed, len(h.held()), tc.kept)
			}
		}
	}
}

// TestADocumentOfUnknownScopeIsHeldBack: a document that does not name its table may belong to one that is only
// missing. If confirmed, it is deleted.
func TestADocumentOfUnknownScopeIsHeldBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.sync()
	h.write("stray", `{"v":"x"}`)
	for range 2 {
		if res := h.sync(); res.Withheld[plan.ScopeUnknown] != 1 || res.WithheldDeletes() != 1 || res.Counts.Deleted != 0 {
			t.Fatalf("%+v", res)
		}
	}
	if res := h.sync(func(j *engine.Job) { j.Guard.Confirmed = 1 }); res.Counts.Deleted != 1 {
		t.Fatalf("confirmed: %+v", res)
	}
}

// TestTheGuardsPercentageRefersToWhatWasRead: documents of tables that were unwanted or unreadable do not lower
// the percentage; and an empty source deletes nothing, whatever else failed.
func TestTheGuardsPercentageRefersToWhatWasRead(t *testing.T) {
	t.Parallel()
	only := func(j *engine.Job) { j.Wants = func(scope string) bool { return scope == "a" } }
	for _, tc := range []struct {
		name   string
		left   int // documents of the part a
		breaks func(h *harness)
		change func(*engine.Job)
		reason plan.Reason
	}{
		{"emptied, the only wanted one", 0, func(*harness) {}, only, plan.EmptySource},
		{"nearly emptied, the only wanted one", 1, func(*harness) {}, only, plan.GuardRefused},
		{"nearly emptied, the other cannot be read", 1, func(h *harness) { h.source.Fails = map[string]error{"b": errors.New("no")} }, func(*engine.Job) {}, plan.GuardRefused},
		{"emptied, the other cannot be read", 0, func(h *harness) { h.source.Fails = map[string]error{"b": errors.New("no")} }, func(*engine.Job) {}, plan.EmptySource},
	} {
		h := newSynced(t, map[string]int{"a": 15, "b": 300})
		h.source.Parts["a"] = h.source.Parts["a"][:tc.left]
		tc.breaks(h)
		if res := h.sync(tc.change); res.Counts.Deleted != 0 || res.Withheld[tc.reason] != int64(15-tc.left) {
			t.Errorf("%s: %+v", tc.name, res)
		}
	}
}

// TestNothingIsWrittenTwiceAfterAnIncompleteRun: if versions decide, the next run does not write again what an
// incomplete run wrote, however often something fails.
func TestNothingIsWrittenTwiceAfterAnIncompleteRun(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.ByVersion = true
	stamp := func(docs []document.Document) []document.Document {
		for i := range docs {
			docs[i].Timestamp = "2024-01-15T00:00:00Z"
		}
		return docs
	}
	h.source.Parts["a"], h.source.Parts["b"] = stamp(numbered("a", "a", 10)), stamp(numbered("b", "b", 10))
	h.source.Fails, h.source.FailsAt = map[string]error{"b": errors.New("not readable")}, 5
	if res := h.sync(); res.Counts.Created != 15 {
		t.Fatalf("first run: %+v", res.Counts)
	}
	for range 2 {
		if res := h.sync(); res.Counts.Created+res.Counts.Updated != 0 || res.Counts.Kept != 15 {
			t.Fatalf("next run: %+v", res.Counts)
		}
	}
	// If documents are built differently, each is written again once.
	h.job.Profile = "other"
	for _, want := range []int64{15, 0, 0} {
		if res := h.sync(); res.Counts.Updated != want {
			t.Fatalf("built differently: %+v, want %d updates", res.Counts, want)
		}
	}
	// Documents that were never read are written once they can be, and only those.
	h.source.Fails = nil
	if res := h.sync(); res.Counts.Created != 5 || res.Counts.Updated != 0 {
		t.Fatalf("all can be read: %+v", res.Counts)
	}
	if res := h.sync(); res.Counts.Kept != 20 {
		t.Fatalf("last run: %+v", res.Counts)
	}
	h.job.Profile = ""
	if res := h.sync(); res.Counts.Updated != 20 {
		t.Fatalf("built as at first: %+v", res.Counts)
	}
}

// TestBulkRequestsDoNotRecreateADeletedIndex: the run ends with a temporary error, and the next one creates the
// index correctly.
func TestBulkRequestsDoNotRecreateADeletedIndex(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = numbered("a", "a", 100)
	h.deps.Writers, h.deps.Readers = 1, 1
	var hours atomic.Int64 // so that the index is checked before each request
	h.deps.Now = func() time.Time { return time.Now().Add(time.Duration(hours.Add(1)) * time.Hour) }
	store, bulks := h.store, 0
	h.store = roundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := store.RoundTrip(r)
		if strings.HasSuffix(r.URL.Path, "/_bulk") {
			if bulks++; bulks == 2 { // after its response, and before the next request is prepared
				removeIndex(t, store, h.url+"/"+h.job.Index)
			}
		}
		return res, err
	})
	if _, err := h.run(t.Context()); !errors.Is(err, engine.ErrReplaced) && !errors.Is(err, elastic.ErrNotFound) {
		t.Fatalf("the run ended with %v", err)
	}
	if _, err := h.client().Index(t.Context(), h.job.Index); !errors.Is(err, elastic.ErrNotFound) {
		t.Fatalf("the writes created the index again: %v", err)
	}
	h.store = store
	if res := h.sync(); res.Counts.Created != 100 {
		t.Fatalf("the next run: %+v", res.Counts)
	}
	if ix, err := h.client().Index(t.Context(), h.job.Index); err != nil || ix.Marker.Owner != h.job.Owner {
		t.Fatalf("the index of the next run: %+v, %v", ix, err)
	}
}

// TestAMarkerThatCannotBeWritten: without the privilege for the mapping, documents are written anyway.
func TestAMarkerThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.sync()
	h.job.Profile = "other"
	h.put("a", "1", "two")
	h.rules = []fault.Rule{{Path: "_mapping", Answer: fault.JSON(403, `{"error":{"type":"security_exception","reason":"no"},"status":403}`)}}
	if res := h.sync(); res.Counts.Updated != 1 {
		t.Fatalf("%+v", res.Counts)
	}
}
