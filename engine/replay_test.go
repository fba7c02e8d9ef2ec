package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// rejectAll makes the server reject every document of the next run.
func (h *harness) rejectAll() {
	h.rules = []fault.Rule{{Path: "_bulk", Answer: fault.Items(func(string) string {
		return `{"status":400,"error":{"type":"document_parsing_exception","reason":"because"}}`
	})}}
}

// rejected syncs while every document is rejected, and returns the dead-letter file and its content. Later
// rejections go into another file.
func (h *harness) rejected() (file string, raw []byte) {
	h.t.Helper()
	h.rejectAll()
	h.sync()
	file, h.dead = h.dead, filepath.Join(h.t.TempDir(), "again.ndjson")
	raw, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	return file, raw
}

func TestReplaySendsRejectedDocuments(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "absent", "v", "newer", "v", "older", "v", "same", "v", "undated", "v", `odd "id" ä`, "v")
	file, _ := h.rejected()
	h.write("newer", `{"v":"theirs","_timestamp":"2100-01-01T00:00:00+02:00"}`)
	h.write("older", `{"v":"before","_timestamp":"2020-01-01T00:00:00"}`)
	h.write("same", `{"id":"same","scope":"a","v":"v","_timestamp":"2020-01-01T00:00:00.5+00:00"}`)
	h.write("undated", `{"v":"theirs"}`)
	res, err := h.replay(file)
	if err != nil || res.Incomplete() || res.Passed != 0 {
		t.Fatalf("%v, %+v", err, res)
	}
	got := map[string]map[string]string{}
	for _, kind := range []string{"create", "update", "keep", "delete", "reject"} {
		if of := h.seen.of(kind); len(of) > 0 {
			got[kind] = of
		}
	}
	want := map[string]map[string]string{
		"create": {"absent": string(plan.NotInIndex), `odd "id" ä`: string(plan.NotInIndex)},
		"update": {"older": string(plan.ContentDiffers)},
		"keep":   {"newer": string(plan.NewerInIndex), "undated": string(plan.NewerInIndex), "same": string(plan.Unchanged)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	held := map[string]string{"absent": "v", "newer": "theirs", "older": "v", "same": "v", "undated": "theirs", `odd "id" ä`: "v"}
	if d := cmp.Diff(held, h.held()); d != "" {
		t.Fatal(d)
	}
	res, err = h.replay(file)
	if err != nil || res.Differences() || res.Counts.Kept != 6 {
		t.Fatalf("again: %v, %+v", err, res)
	}
}

// TestReplayLeavesOtherWritersAlone: a document written between the lookup and the request survives.
func TestReplayLeavesOtherWritersAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "absent", "v", "older", "v")
	file, _ := h.rejected()
	h.write("older", `{"v":"before","_timestamp":"2020-01-01T00:00:00+00:00"}`)
	store := h.store
	h.store = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "_bulk") {
			h.store = store
			h.write("older", `{"v":"theirs"}`)
			h.write("absent", `{"v":"theirs"}`)
		}
		return store.RoundTrip(r)
	})
	res, err := h.replay(file)
	if err != nil || res.Differences() || res.Counts.Kept != 2 {
		t.Fatalf("%v, %+v", err, res)
	}
	if d := cmp.Diff(map[string]string{"absent": "theirs", "older": "theirs"}, h.held()); d != "" {
		t.Fatal(d)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestReplaySavesDocumentsThatAreRejectedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "v", "2", "v", "", "nameless")
	file, before := h.rejected()
	h.rejectAll()
	res, err := h.replay(file)
	if err != nil || res.Counts.Rejected != 3 || !res.Incomplete() {
		t.Fatalf("%v, %+v", err, res)
	}
	after, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(before, after) {
		t.Fatalf("the file that is replayed was changed: %v", err)
	}
	n := 0
	for r, err := range docfile.Rejections(h.dead) {
		n++
		if err != nil || r.Type != "document_parsing_exception" || len(r.Document) == 0 {
			t.Fatalf("%v, %+v", err, r)
		}
	}
	if n != 3 {
		t.Fatalf("%d rejected again", n)
	}
	// A document without an id is rejected whatever the server accepts, and none is created under another id.
	again := h.dead
	h.dead = filepath.Join(t.TempDir(), "third.ndjson")
	res, err = h.replay(again)
	if d := cmp.Diff(map[string]string{"1": "v", "2": "v"}, h.held()); d != "" || err != nil || res.Counts.Rejected != 1 {
		t.Fatalf("%v, %+v\n%s", err, res, d)
	}
}

func TestReplaySkipsRecordsOfOthers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "v")
	_, raw := h.rejected()
	var lines []string
	for key, other := range map[string]string{"connector": "other", "index": "search-other", "kind": "delete"} {
		var r map[string]any
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		r[key] = other
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	foreign := filepath.Join(t.TempDir(), "foreign.ndjson")
	write := func(text string) {
		if err := os.WriteFile(foreign, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Join(lines, "\n")) // the last line without a line end
	if res, err := h.replay(foreign); !errors.Is(err, engine.ErrConfig) || res.Passed != 3 || len(h.held()) != 0 {
		t.Fatalf("%v, %+v", err, res)
	}
	write(strings.Join(lines, "\n") + "\n" + string(raw))
	if res, err := h.replay(foreign); err != nil || res.Passed != 3 || res.Counts.Created != 1 {
		t.Fatalf("%v, %+v", err, res)
	}
}

func TestReplayRefusesInvalidFiles(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "v")
	file, raw := h.rejected()
	for name, text := range map[string]string{
		"not JSON": "hello\n", "half a line": string(raw[:len(raw)/2]), "another schema": `{"schema":2,"kind":"create","document":{}}` + "\n",
		"no document": `{"schema":1,"kind":"create","id":"1"}` + "\n", "an empty line": "\n", "a list": "[]\n",
	} {
		broken := filepath.Join(t.TempDir(), "broken.ndjson")
		if err := os.WriteFile(broken, []byte(string(raw)+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := h.replay(broken); !errors.Is(err, engine.ErrConfig) || !strings.Contains(err.Error(), broken+":2: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.replay(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	h.job.Index += "-none"
	if _, err := h.replay(file); !errors.Is(err, engine.ErrConfig) || errors.Is(err, elastic.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
