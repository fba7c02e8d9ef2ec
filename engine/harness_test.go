package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// harness is one source, one in-memory destination, and the output of runs.
type harness struct {
	t       *testing.T
	source  *fault.Memory
	url     string
	store   http.RoundTripper
	rules   []fault.Rule // of the next run
	sent    []string     // requests of the last run
	job     engine.Job
	deps    engine.Deps
	dead    string
	deleted *docfile.Deleted
	seen    *recorder
	kept    map[string][]string // scopes that were missing at the end of the last run, by index and owner
}

// patience is the limit for events that must happen: no machine is so busy that it takes longer.
const patience = 3 * time.Minute

// destination runs every test of this package on a real server: go test ./engine -destination URL.
var destination = flag.String("destination", "", "address of an Elasticsearch to run on, instead of an embedded one")

// idsMemory makes every test of this package store its ids in a file: go test ./engine -ids-memory 1.
// TestAllTestsPassWithIDsInAFile does that.
var idsMemory = flag.Int64("ids-memory", 1<<20, "bytes of ids before they go to a file")

func newHarness(t *testing.T) *harness {
	t.Helper()
	return newHarnessOn(t, *destination)
}

// newHarnessOn uses a destination at an address; "" is an embedded one of its own.
func newHarnessOn(t *testing.T, url string) *harness {
	t.Helper()
	h := &harness{t: t, source: &fault.Memory{Parts: map[string][]document.Document{}}, url: url}
	index := "search-test-" + strings.ToLower(rand.Text())
	if h.url == "" {
		h.url = "http://embedded"
		h.store = elastictest.Embedded(t, embedded.Options{}).Transport()
	} else {
		tr := &http.Transport{}
		h.store = tr
		t.Cleanup(func() {
			removeIndex(t, tr, h.url+"/"+index)
			tr.CloseIdleConnections()
		})
	}
	h.dead = filepath.Join(t.TempDir(), "dead.ndjson")
	h.job = engine.Job{
		Connector: "test", Owner: "memory/test", Index: index, Compare: engine.Auto,
		Guard: engine.Guard{Deletes: 10, Percent: 10, Confirmed: -1},
	}
	h.deps = engine.Deps{
		Settings: engine.Settings{
			Readers: 4, Writers: 4, Operations: 10, RequestBytes: 1 << 20, Budget: 1 << 20, ContentLimit: 1 << 20,
			ShutdownGrace: patience, IDsMemory: *idsMemory, IDsDir: t.TempDir(),
			Retry: retry.Policy{First: time.Microsecond, Max: time.Millisecond, Patience: patience},
		},
		Log: slog.New(slog.DiscardHandler), Cut: context.Background(), Now: time.Now,
		Lock: func(context.Context, string, string) (func(), bool, error) { return func() {}, false, nil },
		Vanished: engine.Vanished{
			Load: func(index, of string) ([]string, error) { return h.kept[index+" "+of], nil },
			Save: func(index, of string, scopes []string) error {
				h.kept = map[string][]string{index + " " + of: scopes}
				return nil
			},
		},
	}
	return h
}

// newSynced is a harness after a sync of parts with some numbers of documents, see fill.
func newSynced(t *testing.T, parts map[string]int) *harness {
	t.Helper()
	h := newHarness(t)
	h.fill(parts)
	h.sync()
	return h
}

// newShrunk is a harness whose index has n documents of the part a, of which the source still has the first ones.
func newShrunk(t *testing.T, n, left int) *harness {
	t.Helper()
	h := newSynced(t, map[string]int{"a": n})
	h.fill(map[string]int{"a": left})
	return h
}

// fill sets the documents of parts: those of the part x are x0, x1, …
func (h *harness) fill(parts map[string]int) {
	for scope, n := range parts {
		h.source.Parts[scope] = numbered(scope, scope, n)
	}
}

// excluding is a rule for the field v.
func excluding(rule, value string) func(*engine.Job) {
	return func(j *engine.Job) {
		j.Rules = []rules.Rule{{ID: "r", Policy: "exclude", Field: "v", Rule: rule, Value: value, Order: 1}}
	}
}

// put sets the documents of a part: pairs of id and value.
func (h *harness) put(scope string, pairs ...string) {
	docs := []document.Document{}
	for i := 0; i < len(pairs); i += 2 {
		docs = append(docs, doc(scope, pairs[i], pairs[i+1]))
	}
	h.source.Parts[scope] = docs
}

func doc(scope, id, value string) document.Document {
	return document.Document{ID: id, Fields: []document.Field{
		{Name: fault.ScopeField, Value: document.String(scope)},
		{Name: "v", Value: document.String(value)},
	}}
}

// numbered returns the documents <prefix>0 … <prefix>n-1.
func numbered(scope, prefix string, n int) []document.Document {
	var docs []document.Document
	for i := range n {
		docs = append(docs, doc(scope, fmt.Sprint(prefix, i), "v"))
	}
	return docs
}

func (h *harness) client() *elastic.Client {
	h.t.Helper()
	c, err := elastic.New(elastic.Config{URL: h.url, Transport: h.store})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// run runs the job; change may modify it for this run.
func (h *harness) run(ctx context.Context, change ...func(*engine.Job)) (engine.Result, error) {
	h.t.Helper()
	return h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) { return engine.Run(ctx, job, deps) }, change...)
}

// replay sends the rejected documents of a file again.
func (h *harness) replay(file string) (engine.Result, error) {
	h.t.Helper()
	return h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		return engine.Replay(h.t.Context(), job, deps, file)
	})
}

func (h *harness) do(what func(engine.Job, engine.Deps) (engine.Result, error), change ...func(*engine.Job)) (engine.Result, error) {
	h.t.Helper()
	job, deps := h.job, h.deps
	job.Type = h.source.Type()
	for _, c := range change {
		c(&job)
	}
	tr := &fault.Transport{Next: h.store, Rules: h.rules}
	client, err := elastic.New(elastic.Config{URL: h.url, Transport: tr})
	if err != nil {
		h.t.Fatal(err)
	}
	h.seen = &recorder{}
	deps.Client, deps.Observer, deps.Counters = client, h.seen, &report.Counters{}
	deps.DeadLetter, deps.Deleted = docfile.NewDeadLetter(h.dead), h.deleted
	res, err := what(job, deps)
	if cerr := deps.DeadLetter.Close(); cerr != nil {
		h.t.Error(cerr)
	}
	h.rules, h.sent = nil, tr.Requests()
	h.noFileOfIDs()
	if n := h.source.Open(); n != 0 {
		h.t.Errorf("%d sources were left open", n)
	}
	return res, err
}

// noFileOfIDs fails the test if a run left a temporary file, or left one open.
func (h *harness) noFileOfIDs() {
	h.t.Helper()
	left, err := filepath.Glob(filepath.Join(h.deps.IDsDir, "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	open, err := filepath.Glob("/proc/self/fd/*") // none if the system has no such folder
	if err != nil {
		h.t.Fatal(err)
	}
	for _, fd := range open {
		if name, err := os.Readlink(fd); err == nil && strings.HasPrefix(name, h.deps.IDsDir+"/") {
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		h.t.Errorf("temporary files of ids remain: %q", left)
	}
}

// sync runs the job and fails the test on an error.
func (h *harness) sync(change ...func(*engine.Job)) engine.Result {
	h.t.Helper()
	res, err := h.run(h.t.Context(), change...)
	if err != nil {
		h.t.Fatalf("sync: %v", err)
	}
	return res
}

func (h *harness) diff(change ...func(*engine.Job)) engine.Result {
	h.t.Helper()
	return h.sync(append(change, func(j *engine.Job) { j.DryRun = true })...)
}

// held is the content of the index: the field v by id.
func (h *harness) held() map[string]string {
	h.t.Helper()
	return h.texts("v")
}

// texts is a field of the documents in the index, by id; "" where a document lacks it.
func (h *harness) texts(field string) map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for id, source := range h.sources() {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(source, &doc); err != nil {
			h.t.Fatal(err)
		}
		out[id] = ""
		if raw := doc[field]; raw != nil {
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				h.t.Fatal(err)
			}
			out[id] = text
		}
	}
	return out
}

func (h *harness) sources() map[string][]byte {
	h.t.Helper()
	ctx, c := h.t.Context(), h.client()
	if err := c.Refresh(ctx, h.job.Index); err != nil {
		h.t.Fatal(err)
	}
	ix, err := c.Index(ctx, h.job.Index)
	if err != nil {
		h.t.Fatal(err)
	}
	pit, err := c.OpenPIT(ctx, ix)
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string][]byte{}
	err = pit.Scan(ctx, elastic.Scan{Source: json.RawMessage("true"), Slices: 1}, func(int) func(elastic.Hit) error {
		return func(hit elastic.Hit) error {
			out[hit.ID] = bytes.Clone(hit.Source)
			return nil
		}
	})
	if err == nil {
		err = pit.Close(ctx)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// write puts a document into the index like another program.
func (h *harness) write(id, source string) {
	h.t.Helper()
	body := elastic.AppendIndex(nil, id)
	body = append(append(body, source...), '\n')
	if _, err := h.client().Bulk(h.t.Context(), elastic.Bulk{Index: h.job.Index, Body: body, Count: 1, ID: func(int) string { return id }}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.client().Refresh(h.t.Context(), h.job.Index); err != nil {
		h.t.Fatal(err)
	}
}

// recorder is an observer that records everything.
type recorder struct {
	mu      sync.Mutex
	changes []report.Change
	fails   []report.Failure
}

func (r *recorder) Changed(c report.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

func (r *recorder) Failed(f report.Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = append(r.fails, f)
}

func (*recorder) Read(report.PartRead) {}

func (r *recorder) Phase(string, time.Duration) {}

// of lists the ids of the changes of a kind.
func (r *recorder) of(kind string) map[string]string {
	out := map[string]string{}
	for _, c := range r.changes {
		if c.Kind == kind {
			out[c.ID] = c.Reason
		}
	}
	return out
}

func (r *recorder) failures() string {
	var b strings.Builder
	for _, f := range r.fails {
		fmt.Fprintf(&b, "%s %s: %v\n", f.Part, f.ID, f.Err)
	}
	return b.String()
}

// contentDoc is a document with a text, or with a text that cannot be read.
func contentDoc(id, timestamp, text string, err error) document.Document {
	d := doc("a", id, "v")
	d.Timestamp = timestamp
	d.Content = &document.Content{Name: id + ".txt", Size: max(int64(len(text)), 1), Open: func(context.Context) (io.ReadCloser, error) {
		if err != nil {
			return nil, err
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}}
	return d
}

func removeIndex(t *testing.T, rt http.RoundTripper, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Errorf("remove the test's index: %v", err)
		return
	}
	_ = res.Body.Close()
}
