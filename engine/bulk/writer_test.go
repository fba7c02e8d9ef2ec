package bulk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/elastic-ingest/elastic-ingest/engine/budget"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a destination that answers bulk requests from a script.
type node struct {
	mu     sync.Mutex
	bodies [][]byte
	answer func(n int, r *http.Request, body []byte) *http.Response
}

func (n *node) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.bodies = append(n.bodies, body)
	count := len(n.bodies)
	n.mu.Unlock()
	res := n.answer(count, r, body)
	if res == nil {
		return nil, fault.ErrReset
	}
	return res, nil
}

// rig is a writer with a node.
type rig struct {
	t        *testing.T
	w        *Writer
	node     *node
	counters report.Counters
	budget   *budget.Bytes
	dead     string
	changes  []report.Change
	mu       sync.Mutex
	done     chan error
}

func (r *rig) Changed(c report.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}
func (r *rig) Failed(report.Failure) {}
func (*rig) Read(report.PartRead)    {}

func (r *rig) Phase(string, time.Duration) {}

// patience is the limit for events that must happen: no machine is so busy that it takes longer.
const patience = 3 * time.Minute

func newRig(t *testing.T, answer func(n int, r *http.Request, body []byte) *http.Response, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, node: &node{answer: answer}, dead: filepath.Join(t.TempDir(), "dead.ndjson"), done: make(chan error, 1)}
	c, err := elastic.New(elastic.Config{URL: "http://node", Transport: r.node})
	if err != nil {
		t.Fatal(err)
	}
	r.budget = budget.New(1<<20, func() { r.w.Pressure() })
	o := Options{
		Client: c, Index: "x", Workers: 2, Operations: 4, Bytes: 1 << 16, Budget: r.budget, Counters: &r.counters,
		Observer: r, DeadLetter: docfile.NewDeadLetter(r.dead), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Retry: retry.Policy{First: time.Microsecond, Max: 10 * time.Microsecond, Patience: patience},
	}
	for _, f := range change {
		f(&o)
	}
	r.w = New(o)
	go func() { r.done <- r.w.Run(t.Context()) }()
	return r
}

func (r *rig) apply(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		grant, err := r.budget.Acquire(r.t.Context(), 100)
		if err != nil {
			r.t.Fatal(err)
		}
		c := plan.Change{Kind: plan.Create, ID: id, Part: "p", Source: []byte(`{"id":"` + id + `"}`), Grant: grant}
		if strings.HasPrefix(id, "del") {
			c.Kind, c.At = plan.Delete, &plan.At{SeqNo: 3, PrimaryTerm: 1}
		}
		if err := r.w.Apply(r.t.Context(), c); err != nil {
			return
		}
	}
}

// end closes the writer, checks that all bytes were released, and returns the run's error.
func (r *rig) end() error {
	r.t.Helper()
	r.w.Close()
	err := <-r.done
	if err == nil {
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		defer cancel()
		if _, aerr := r.budget.Acquire(ctx, r.budget.Limit()); aerr != nil {
			r.t.Error("bytes were not released")
		}
	}
	if cerr := r.w.o.DeadLetter.Close(); cerr != nil {
		r.t.Error(cerr)
	}
	return err
}

// outcomes is the reported kind of each id.
func (r *rig) outcomes() map[string]string {
	out := map[string]string{}
	for _, c := range r.changes {
		if _, twice := out[c.ID]; twice {
			r.t.Errorf("%q ended twice", c.ID)
		}
		out[c.ID] = c.Kind
	}
	return out
}

const ok = `{"status":201,"result":"created"}`

func bad(status int, typ string) string {
	return fmt.Sprintf(`{"status":%d,"error":{"type":%q,"reason":"because"}}`, status, typ)
}

func items(f func(id string) string) func(int, *http.Request, []byte) *http.Response {
	return func(_ int, r *http.Request, body []byte) *http.Response { return fault.Items(f)(r, body) }
}

// TestJudge is the table of outcomes of an item.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		kind    plan.Kind
		status  int
		result  string
		typ     string
		reason  string
		want    outcome
		guarded bool
	}{
		{"created", plan.Create, 201, "created", "", "", done, false},
		{"updated", plan.Update, 200, "updated", "", "", done, false},
		{"dropped by the pipeline", plan.Create, 200, "noop", "", "", dropped, false},
		{"deleted", plan.Delete, 200, "deleted", "", "", done, false},
		{"already deleted", plan.Delete, 404, "not_found", "", "", done, false},
		{"already deleted, with a guard", plan.Delete, 409, "", "version_conflict_engine_exception", "[1]: version conflict, required seqNo [7], primary term [1]. but no document was found", done, false},
		{"written since the scan", plan.Delete, 409, "", "version_conflict_engine_exception", "", conflict, false},
		{"written since it was read", plan.Update, 409, "", "version_conflict_engine_exception", "", conflict, true},
		{"queue full", plan.Create, 429, "", "es_rejected_execution_exception", "", refused, false},
		{"circuit breaker", plan.Create, 429, "", "circuit_breaking_exception", "", refused, false},
		{"shard moving", plan.Create, 503, "", "unavailable_shards_exception", "", refused, false},
		{"a processor fails", plan.Create, 500, "", "fail_processor_exception", "", failed, false},
		{"mapping conflict", plan.Create, 400, "", "document_parsing_exception", "", rejected, false},
		{"too many fields", plan.Create, 400, "", "illegal_argument_exception", "Limit of total fields [1000] has been exceeded", rejected, false},
		{"a field's conflict of versions", plan.Create, 409, "", "version_conflict_engine_exception", "", rejected, false},
		{"read-only index", plan.Create, 403, "", "cluster_block_exception", "", fatal, false},
		{"disk flood stage", plan.Create, 429, "", "cluster_block_exception", "", fatal, false},
		{"no privilege", plan.Create, 403, "", "security_exception", "", fatal, false},
		{"index closed", plan.Create, 400, "", "index_closed_exception", "", fatal, false},
		{"index deleted", plan.Delete, 404, "", "index_not_found_exception", "", fatal, false},
		{"pipeline missing", plan.Create, 400, "", "illegal_argument_exception", "pipeline with id [x] does not exist", fatal, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := plan.Change{Kind: tc.kind}
			if tc.kind == plan.Delete || tc.guarded {
				c.At = &plan.At{SeqNo: 7, PrimaryTerm: 1}
			}
			got := judge(&c, elastic.BulkItem{Status: tc.status, Result: tc.result, Type: tc.typ, Reason: tc.reason})
			if got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestRefusedItemsAreResentAlone(t *testing.T) {
	t.Parallel()
	tries := map[string]int{}
	var mu sync.Mutex
	r := newRig(t, items(func(id string) string {
		mu.Lock()
		defer mu.Unlock()
		if tries[id]++; id == "b" && tries[id] < 3 {
			return bad(429, "es_rejected_execution_exception")
		}
		return ok
	}), func(o *Options) { o.Workers = 1 })
	r.apply("a", "b", "c")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{"a": 1, "b": 3, "c": 1}, tries); d != "" {
		t.Error(d)
	}
	if r.counters.Created.Load() != 3 || r.counters.Retried.Load() != 2 {
		t.Errorf("%+v", r.counters.Snapshot())
	}
}

func TestOneDocumentRefusedFiveTimesIsTooLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(id string) string {
		if id == "big" {
			return bad(429, "circuit_breaking_exception")
		}
		return ok
	}))
	r.apply("a", "big", "c")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"a": "create", "big": "reject", "c": "create"}, r.outcomes()); d != "" {
		t.Error(d)
	}
}

func TestDocumentErrorsAreDeadLettered(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(id string) string {
		switch id {
		case "m":
			return bad(400, "document_parsing_exception")
		case "p":
			return bad(500, "fail_processor_exception")
		}
		return ok
	}))
	r.apply("a", "m", "p", "z")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(r.dead)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		var rej docfile.Rejection
		if err := json.Unmarshal([]byte(line), &rej); err != nil {
			t.Fatal(err)
		}
		got[rej.ID] = rej.Type + " " + string(rej.Document)
	}
	want := map[string]string{"m": `document_parsing_exception {"id":"m"}`, "p": `fail_processor_exception {"id":"p"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	info, err := os.Stat(r.dead)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestErrorsOfTheRunStopItAndFillNoDeadLetter(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"cluster_block_exception", "security_exception", "index_not_found_exception"} {
		r := newRig(t, items(func(string) string { return bad(403, typ) }))
		r.apply("a", "b", "c", "d", "e")
		if err := r.end(); err == nil || !strings.Contains(err.Error(), typ) {
			t.Errorf("%s: %v", typ, err)
		}
		if _, err := os.Stat(r.dead); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: dead-letter file: %v", typ, err)
		}
	}
}

// TestAServersFailureIsNoReasonToRunAgain: even if patience is too short for all attempts.
func TestAServersFailureIsNoReasonToRunAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(id string) string {
		if id == "p" {
			return bad(500, "fail_processor_exception")
		}
		return ok
	}), func(o *Options) { o.Retry.Patience = 0 })
	r.apply("a", "p")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"a": "create", "p": "reject"}, r.outcomes()); d != "" {
		t.Error(d)
	}
}

func TestTooLargeRequestIsSplitDownToTheDocument(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ int, req *http.Request, body []byte) *http.Response {
		if strings.Contains(string(body), `"big"`) {
			return fault.JSON(413, ``)(req, body)
		}
		return fault.Items(func(string) string { return ok })(req, body)
	})
	r.apply("a", "big", "c", "d")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"a": "create", "big": "reject", "c": "create", "d": "create"}, r.outcomes()); d != "" {
		t.Error(d)
	}
}

func TestLostAndCutAnswersAreSentAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(n int, req *http.Request, body []byte) *http.Response {
		switch n {
		case 1:
			return nil
		case 2:
			return fault.JSON(503, `{}`)(req, body)
		case 3:
			return fault.JSON(200, `{"errors":true,"items":[`)(req, body)
		}
		return fault.Items(func(string) string { return ok })(req, body)
	})
	r.apply("a", "b")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if r.counters.Created.Load() != 2 || len(r.node.bodies) != 4 {
		t.Errorf("created %d in %d requests", r.counters.Created.Load(), len(r.node.bodies))
	}
}

// TestAServerThatFailsGetsThreeRequests: the run does not wait for a full disk, for example.
func TestAServerThatFailsGetsThreeRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ int, req *http.Request, body []byte) *http.Response {
		return fault.JSON(500, `{"error":{"type":"io_exception","reason":"no space left on device"},"status":500}`)(req, body)
	}, func(o *Options) { o.Workers, o.Retry.Patience = 1, time.Hour })
	r.apply("a")
	err := r.end()
	if err == nil || errors.Is(err, elastic.ErrTemporary) || len(r.node.bodies) != 3 {
		t.Errorf("%v after %d requests", err, len(r.node.bodies))
	}
}

func TestPatienceEndsAsTemporary(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int, *http.Request, []byte) *http.Response{
		"requests":  func(_ int, req *http.Request, body []byte) *http.Response { return fault.JSON(429, `{}`)(req, body) },
		"no server": func(int, *http.Request, []byte) *http.Response { return nil },
		"items": func() func(int, *http.Request, []byte) *http.Response {
			return items(func(string) string { return bad(503, "unavailable_shards_exception") })
		}(),
	} {
		r := newRig(t, answer, func(o *Options) { o.Retry.Patience = time.Millisecond })
		r.apply("a", "b")
		err := r.end()
		if !errors.Is(err, elastic.ErrTemporary) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGuardedDeletesThatConflictAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(id string) string {
		if id == "del2" {
			return bad(409, "version_conflict_engine_exception")
		}
		return `{"status":200,"result":"deleted"}`
	}))
	r.apply("del1", "del2")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"del1": "delete", "del2": "keep"}, r.outcomes()); d != "" {
		t.Error(d)
	}
	want := `{"delete":{"_id":"del1","if_seq_no":3,"if_primary_term":1}}`
	if !strings.HasPrefix(string(r.node.bodies[0]), want) {
		t.Errorf("sent %s", r.node.bodies[0])
	}
}

func TestDroppedByThePipelineIsCountedAndNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(id string) string {
		if id == "d" {
			return `{"status":200,"result":"noop"}`
		}
		return ok
	}), func(o *Options) { o.Pipeline = "pipe" })
	r.apply("a", "d")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"a": "create", "d": "drop"}, r.outcomes()); d != "" || r.counters.Dropped.Load() != 1 {
		t.Error(d)
	}
}

// TestTheBreakerEndsARunInWhichNearlyAllIsRejected: both the number and the share must be exceeded.
func TestTheBreakerEndsARunInWhichNearlyAllIsRejected(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		breaker   *Breaker
		badOfTen  int
		documents int
		ends      bool
	}{
		{"many, and a large share", &Breaker{10, 0.5}, 9, 100, true},
		{"many, but a small share", &Breaker{10, 0.5}, 2, 100, false},
		{"a large share of few", &Breaker{10, 0.5}, 9, 10, false},
		{"no breaker", nil, 10, 100, false},
	} {
		r := newRig(t, items(func(id string) string {
			if int(id[len(id)-1]-'0') < tc.badOfTen {
				return bad(400, "document_parsing_exception")
			}
			return ok
		}), func(o *Options) { o.Breaker = tc.breaker })
		for i := range tc.documents {
			r.apply(fmt.Sprint(i))
		}
		if err := r.end(); errors.Is(err, ErrTooManyRejected) != tc.ends {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestAnErrorWaitsForRequestsInFlight: a request that the run no longer waits for may still be written, even after the
// next run has written something newer. So an error lets requests in flight complete, for as long as the grace lasts.
func TestAnErrorWaitsForRequestsInFlight(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		response time.Duration // after which the server responds to the other request
		created  int64
		took     time.Duration
	}{
		"a slow server":   {20 * time.Second, 4, 20 * time.Second},
		"a silent server": {time.Hour, 0, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(_ int, req *http.Request, body []byte) *http.Response {
					if bytes.Contains(body, []byte(`"id":"bad"`)) {
						return fault.Items(func(string) string { return bad(403, "security_exception") })(req, body)
					}
					select {
					case <-time.After(tt.response):
					case <-req.Context().Done():
						return nil
					}
					return fault.Items(func(string) string { return ok })(req, body)
				}, func(o *Options) { o.Grace = 30 * time.Second })
				began := time.Now()
				r.apply("a", "b", "c", "d")
				synctest.Wait()
				r.apply("bad", "e", "f", "g")
				if err := r.end(); err == nil || !strings.Contains(err.Error(), "security_exception") {
					t.Errorf("the run ended with %v", err)
				}
				if took, created := time.Since(began), r.counters.Created.Load(); took != tt.took || created != tt.created {
					t.Errorf("ended after %v with %d created, want %v and %d", took, created, tt.took, tt.created)
				}
			})
		})
	}
}

// TestNoMoreIsHeldThanCanBeSent: while the destination does not respond, a source of any length waits with one
// request in flight and one ready for each worker, however large the budget is; the end of the run releases it.
func TestNoMoreIsHeldThanCanBeSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		client, err := elastic.New(elastic.Config{URL: "http://node", Transport: &node{answer: func(int, *http.Request, []byte) *http.Response {
			<-ctx.Done()
			return nil
		}}})
		if err != nil {
			t.Fatal(err)
		}
		w := New(Options{
			Client: client, Index: "x", Workers: 3, Operations: 4, Bytes: 1 << 16, Budget: budget.New(1<<30, func() {}),
			Log: slog.New(slog.DiscardHandler), Retry: retry.Policy{First: time.Second, Max: time.Second, Patience: time.Minute}, Now: time.Now,
		})
		go func() { _ = w.Run(ctx) }()
		held, ended := 0, error(nil)
		go func() {
			for ended == nil && held < 1000 {
				if ended = w.Apply(t.Context(), plan.Change{Kind: plan.Create, ID: "a", Source: []byte("{}")}); ended == nil {
					held++
				}
			}
		}()
		synctest.Wait()
		if held != (3+3)*4 {
			t.Errorf("%d documents are held for 6 requests of 4", held)
		}
		end()
		synctest.Wait()
		if !errors.Is(ended, context.Canceled) {
			t.Errorf("a reader that waits when the run ends gets %v", ended)
		}
	})
}

// TestABudgetSmallerThanARequestDoesNotStall: eight readers share a budget of two documents.
func TestABudgetSmallerThanARequestDoesNotStall(t *testing.T) {
	t.Parallel()
	r := newRig(t, items(func(string) string { return ok }), func(o *Options) { o.Operations = 1000 })
	b := budget.New(200, func() { r.w.Pressure() })
	r.w.o.Budget = b
	var wg sync.WaitGroup
	for reader := range 8 {
		wg.Go(func() {
			for i := range 100 {
				grant, err := b.Acquire(t.Context(), 100)
				if err != nil {
					t.Error(err)
					return
				}
				id := fmt.Sprintf("%d-%d", reader, i)
				if err := r.w.Apply(t.Context(), plan.Change{Kind: plan.Create, ID: id, Source: []byte("{}"), Grant: grant}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := r.end(); err != nil || r.counters.Created.Load() != 800 {
		t.Fatalf("%v, %d", err, r.counters.Created.Load())
	}
}

func BenchmarkWriter(b *testing.B) {
	c, err := elastic.New(elastic.Config{URL: "http://node", Transport: acknowledge{}})
	if err != nil {
		b.Fatal(err)
	}
	var counters report.Counters
	var w *Writer
	bud := budget.New(64<<20, func() { w.Pressure() })
	w = New(Options{
		Client: c, Index: "x", Workers: 4, Operations: 500, Bytes: 5 << 20, Budget: bud, Counters: &counters,
		Observer: &rig{}, DeadLetter: docfile.NewDeadLetter("unused"), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	w.o.Observer = report.Unobserved{}
	done := make(chan error, 1)
	go func() { done <- w.Run(b.Context()) }()
	source := []byte(`{"id":"x","body":"` + strings.Repeat("word ", 190) + `"}`)
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		grant, err := bud.Acquire(b.Context(), int64(len(source)))
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Apply(b.Context(), plan.Change{Kind: plan.Create, ID: "an-id", Source: source, Grant: grant}); err != nil {
			b.Fatal(err)
		}
	}
	w.Close()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// acknowledge answers at once that everything was done.
type acknowledge struct{}

func (acknowledge) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	return fault.Done(r)
}
