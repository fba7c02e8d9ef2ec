package engine_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func deletion(j *engine.Job) { j.Kind = engine.Deletion }

// TestADeletionRunOnlyDeletes: it removes documents no longer in the source, and neither creates nor updates any.
func TestADeletionRunOnlyDeletes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x", "2", "x", "3", "x")
	h.sync()
	h.put("a", "1", "changed", "3", "x", "4", "new")
	dry := h.diff(deletion)
	if dry.Counts.Deleted != 1 || dry.Counts.Created+dry.Counts.Updated != 0 {
		t.Errorf("diff: %+v", dry.Counts)
	}
	res := h.sync(deletion)
	if got, want := h.held(), map[string]string{"1": "x", "3": "x"}; !maps.Equal(got, want) {
		t.Errorf("the index holds %v, want %v", got, want)
	}
	if c := res.Counts; c.Read != 3 || c.Created+c.Updated+c.Kept != 0 || c.Deleted != 1 {
		t.Errorf("counts: %+v", c)
	}
	if !h.source.IDsOnly {
		t.Error("the source was opened without IDsOnly")
	}
	h.sync()
	if got, want := h.held(), map[string]string{"1": "changed", "3": "x", "4": "new"}; !maps.Equal(got, want) {
		t.Errorf("the next sync makes %v, want %v", got, want)
	}
}

// TestADeletionRunObeysRules: a document that a rule excludes is deleted, so rules see complete documents.
func TestADeletionRunObeysRules(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "x", "2", "secret")
	h.sync()
	h.sync(deletion, excluding("equals", "secret"))
	if got := slices.Sorted(maps.Keys(h.held())); !slices.Equal(got, []string{"1"}) {
		t.Errorf("the index holds %v", got)
	}
	if h.source.IDsOnly {
		t.Error("the source was opened with IDsOnly")
	}
}

// TestADeletionRunIsGuarded: by every guard of a sync.
func TestADeletionRunIsGuarded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = numbered("a", "n", 40)
	h.sync()
	h.source.Parts["a"] = numbered("a", "n", 20)
	if res := h.sync(deletion); res.Counts.Withheld != 20 || res.Counts.Deleted != 0 {
		t.Errorf("counts: %+v", res.Counts)
	}
	h.source.Fails = map[string]error{"a": errors.New("broken")}
	if res := h.sync(deletion, func(j *engine.Job) { j.Guard.Confirmed = 100 }); res.Counts.Deleted != 0 {
		t.Errorf("of a part that failed: %+v", res.Counts)
	}
}

func identity(name string, principals ...string) document.Document {
	var list []document.Value
	for _, p := range principals {
		list = append(list, document.String(p))
	}
	return document.Document{ID: name, Fields: []document.Field{{Name: "v", Value: document.String(strings.Join(principals, " "))}, {Name: "principals", Value: document.List(list)}}}
}

// TestAccessControl: the identities of a source are mirrored like its documents, without rules, flags or scopes.
func TestAccessControl(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	access := func(j *engine.Job) {
		j.Kind, j.Pipeline = engine.AccessControl, ""
	}
	h.put("a", "1", "x")
	h.source.Identities = []document.Document{identity("ann", "user:ann", "group:a"), identity("bob", "user:bob"), identity("eve", "user:eve")}
	res := h.sync(access)
	if want := map[string]string{"ann": "user:ann group:a", "bob": "user:bob", "eve": "user:eve"}; !maps.Equal(h.held(), want) || res.Counts.Created != 3 {
		t.Errorf("first: %v, %+v", h.held(), res.Counts)
	}
	h.source.Identities = []document.Document{identity("ann", "user:ann"), identity("bob", "user:bob")}
	res = h.sync(access)
	if want := map[string]string{"ann": "user:ann", "bob": "user:bob"}; !maps.Equal(h.held(), want) {
		t.Errorf("second: %v", h.held())
	}
	if c := res.Counts; c.Updated != 1 || c.Kept != 1 || c.Deleted != 1 {
		t.Errorf("second: %+v", c)
	}
	if res = h.sync(access); res.Differences() {
		t.Errorf("third: %+v", res.Counts)
	}
	h.source.Identities = []document.Document{}
	if res = h.sync(access); res.Counts.Deleted != 0 || res.WithheldDeletes() != 2 {
		t.Errorf("without any: %+v", res.Counts)
	}
	h.source.Identities = nil
	if _, err := h.run(t.Context(), access); !errors.Is(err, engine.ErrConfig) {
		t.Errorf("a source without access control: %v", err)
	}
}

// TestFence: it is called before each request that writes, of whatever kind. If it refuses, the run ends, nothing
// more is written, and unsent documents are not counted.
func TestFence(t *testing.T) {
	t.Parallel()
	taken := errors.New("taken over")
	for allowed := range 14 { // index, owner, 10 bulk requests, end: 13
		h := newHarness(t)
		h.source.Parts["a"] = numbered("a", "n", 100)
		seen := &fault.Transport{Next: h.store}
		h.store = seen
		var asked int
		h.deps.Writers = 1 // so that requests are sequential
		h.deps.Fence = func(context.Context) error {
			if asked++; asked > allowed {
				return taken
			}
			return nil
		}
		res, err := h.run(t.Context())
		var kinds []string
		for _, request := range seen.Requests() {
			if _, kind, _ := strings.Cut(request, "/"+h.job.Index); strings.HasPrefix(request, "PUT ") || strings.Contains(kind, "_bulk") {
				kinds = append(kinds, kind)
			}
		}
		if complete := allowed == 13; errors.Is(err, taken) == complete || len(kinds) != allowed {
			t.Errorf("%d times yes: wrote %q, %v", allowed, kinds, err)
		}
		if n := int64(10 * min(10, max(0, allowed-2))); res.Counts.Created != n || allowed > 0 && int64(len(h.held())) != n {
			t.Errorf("%d times yes: %d documents were counted, want %d", allowed, res.Counts.Created, n)
		}
	}
	h := newHarness(t)
	h.source.Parts["a"] = numbered("a", "n", 100)
	var err error
	h.deps.Fence = func(context.Context) error { return source.ErrTemporary }
	if _, err = h.run(t.Context()); !errors.Is(err, source.ErrTemporary) {
		t.Errorf("a temporary error: %v", err)
	}
	h.deps.Fence = nil
	if h.sync(); len(h.held()) != 100 {
		t.Errorf("without a fence %d documents", len(h.held()))
	}
}

// TestFlags: the settings of a connector's pipeline are in each document, and without extraction no content is
// read.
func TestFlags(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.source.Parts["a"] = []document.Document{contentDoc("1", "2026-01-01T00:00:00+00:00", "text", nil)}
	h.sync(func(j *engine.Job) { j.Flags = &document.Flags{ReduceWhitespace: true} })
	if got := string(h.sources()["1"]); strings.Contains(got, "text") {
		t.Errorf("content was read: %s", got)
	}
	h.sync(func(j *engine.Job) { j.Flags = &document.Flags{ExtractBinaryContent: true} })
	if got := string(h.sources()["1"]); !strings.Contains(got, `"body":"text"`) {
		t.Errorf("content was not read: %s", got)
	}
}

// TestAdoptUnowned takes over an index without an owner, never that of another connector.
func TestAdoptUnowned(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.write("foreign", `{"scope":"a","v":"x"}`)
	h.put("a", "1", "x")
	adopt := func(j *engine.Job) { j.AdoptUnowned = true }
	if res := h.sync(adopt); res.Counts.Deleted != 1 {
		t.Errorf("without an owner: %+v", res.Counts)
	}
	res, err := h.run(t.Context(), adopt, func(j *engine.Job) { j.Owner = "memory/other" })
	if !errors.Is(err, engine.ErrForeign) || res.Counts.Created+res.Counts.Updated+res.Counts.Deleted != 0 {
		t.Errorf("of another: %+v, %v", res.Counts, err)
	}
}
