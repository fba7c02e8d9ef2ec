package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// examinesTo checks one line of an examination.
func (h *harness) examinesTo(want string) {
	h.t.Helper()
	if got := h.examine(); !slices.Contains(got, want) {
		h.t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
	}
}

// examine returns the findings of an examination as lines, and fails the test if it wrote or locked anything.
func (h *harness) examine(change ...func(*engine.Job)) (lines []string) {
	h.t.Helper()
	_, err := h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		deps.Lock = func(context.Context, string, string) (func(), bool, error) {
			h.t.Error("it took the lock")
			return func() {}, false, nil
		}
		return engine.Result{}, engine.Examine(h.t.Context(), job, deps, func(f engine.Finding) {
			line := fmt.Sprintf("%s %s: %s", f.Check, f.Status, strings.ReplaceAll(f.Message, h.job.Index, "INDEX"))
			if f.Unread {
				line += " (unread)"
			}
			if (f.Err != nil) != (f.Status == engine.StatusError) {
				h.t.Errorf("%s: error %v", line, f.Err)
			}
			lines = append(lines, line)
		})
	}, change...)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range h.sent {
		if writes(r) && !strings.HasSuffix(r, "_count") {
			h.t.Errorf("it sent %s", r)
		}
	}
	return lines
}

func (h *harness) finds(name string, want ...string) {
	h.t.Helper()
	if d := cmp.Diff(want, h.examine()); d != "" {
		h.t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// TestExamineWritesNothing: whatever the index and its owner, and it says what a sync would do.
func TestExamineWritesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.put("b", "2", "two")
	responds := []string{"source ok: Memory responds", "source ok: 2 parts can be read"}
	h.finds("no index", append([]string{`index ok: index "INDEX" does not exist yet; sync creates it`}, responds...)...)
	h.sync()
	h.finds("our index", append([]string{`index ok: index "INDEX" belongs to this connector and holds 2 documents`}, responds...)...)
	h.job.Owner = "memory/other"
	h.finds("another's index", append([]string{`index error: index "INDEX" belongs to another connector, memory/test: sync writes nothing`}, responds...)...)

	h = newHarness(t)
	h.put("a", "1", "one")
	h.write("x", `{"v":"x"}`)
	h.finds("an index without owner", `index warning: index "INDEX" holds 1 document and has no owner: deletes are held back`,
		"source ok: Memory responds", "source ok: 1 part can be read")
	if n := len(h.held()); n != 1 {
		t.Errorf("the index holds %d documents", n)
	}
}

// TestExamineNamesUnreadableParts: each that cannot be read, with those that have the same reason in one finding,
// and those that work are counted.
func TestExamineNamesUnreadableParts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	denied := func(part string) error {
		return &source.Error{Kind: source.ErrAuth, Part: part, Err: errors.New("denied"), Hint: "GRANT"}
	}
	for _, scope := range []string{"a", "b", "c", "d", "e"} {
		h.put(scope, scope+"1", "v")
	}
	h.source.Fails = map[string]error{
		"b": denied("b"), "d": denied("d"),
		"c": &source.Error{Kind: source.ErrAuth, Part: "c", Err: errors.New("denied"), Hint: "another GRANT"},
		"e": &source.Error{Kind: source.ErrTemporary, Part: "e", Err: errors.New("busy")},
	}
	h.finds("some", `index ok: index "INDEX" does not exist yet; sync creates it`, "source ok: Memory responds", "source note: 1 of 5 parts can be read",
		"source error: 2 parts cannot be read: b, d: denied (unread)", "source error: c: denied (unread)", "source error: e: busy")
	h.source.Fails["b"] = &source.Error{Kind: source.ErrAuth, Part: "b", Err: errors.New("no SELECT on b"), Hint: "GRANT"}
	h.finds("different reasons, the same hint", `index ok: index "INDEX" does not exist yet; sync creates it`, "source ok: Memory responds",
		"source note: 1 of 5 parts can be read", "source error: 2 parts cannot be read: b, d: no SELECT on b, and other reasons (unread)",
		"source error: c: denied (unread)", "source error: e: busy")
	h.source.Fails, h.source.ListErr = nil, &source.Error{Kind: source.ErrUnreachable, Err: errors.New("gone")}
	h.finds("the list breaks off", `index ok: index "INDEX" does not exist yet; sync creates it`, "source ok: Memory responds",
		"source error: list the source: gone", "source ok: 5 parts can be read")
	h.source.ListErr, h.source.PingErr = nil, &source.Error{Kind: source.ErrAuth, Err: errors.New("wrong password")}
	h.finds("no login", `index ok: index "INDEX" does not exist yet; sync creates it`, "source error: wrong password")
}

// TestExamineReportsTheMapping: what the index loses of the source's fields, and a limit that they exceed.
func TestExamineReportsTheMapping(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	var pairs []string
	for i := range 9 {
		pairs = append(pairs, fmt.Sprint("n", i), string(source.Long))
	}
	h.describes(map[string][]string{"a": append(pairs, "t", string(source.Text))})
	err := h.client().CreateFrom(t.Context(), h.job.Index, []byte(`{"settings":{"index.mapping.total_fields.limit":12},"mappings":{"properties":{"t":{"type":"long"},"n0":{"type":"keyword"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	got := h.examine()
	for _, want := range []string{
		`mapping warning: index "INDEX" rejects some values of t (long; in the source: text)`,
		`mapping note: index "INDEX" maps fields differently from a new index: n0 (keyword; in the source: long)`,
		`mapping note: index "INDEX" is near its limit of 12 fields: room for 0`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
	h.describes(map[string][]string{"a": append(pairs, "more", string(source.Text))})
	want := `mapping warning: the source has 12 fields that index "INDEX" lacks, and its limit of 12 leaves room for 10: the others are not indexed, or their documents are rejected`
	h.examinesTo(want)
}

// TestExamineReportsBlocks: an index that refuses writes is an error, with the request that ends it.
func TestExamineReportsBlocks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.sync()
	answer := `{"INDEX":{"mappings":{},"settings":{"index":{"uuid":"u","blocks":{"read_only_allow_delete":"true"}}}}}`
	h.store = &answering{h.store, "/" + h.job.Index, strings.ReplaceAll(answer, "INDEX", h.job.Index)}
	want := `index error: index "INDEX" refuses writes: index.blocks.read_only_allow_delete is set`
	h.examinesTo(want)
}

// TestExamineStopsInTime: a part that does not respond costs no more than the time limit, and is named as not tried.
func TestExamineStopsInTime(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	h.put("b", "2", "two")
	h.source.Blocks = map[string]int{"a": 0}
	until, over := context.WithCancel(t.Context())
	defer over()
	h.deps.Until = until
	h.source.Each = func(part string, _ int) {
		if part == "b" {
			over()
		}
	}
	h.deps.Readers = 2
	got := h.examine()
	if want := "source warning: the time for this check is over before it tried 2 parts"; !slices.Contains(got, want) &&
		!slices.Contains(got, strings.Replace(want, "2 parts", "1 part", 1)) {
		t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a signal"))
	h.deps.Until = nil
	_, err := h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		return engine.Result{}, engine.Examine(ctx, job, deps, func(engine.Finding) {})
	})
	if err == nil || err.Error() != "a signal" {
		t.Errorf("the end of the run: %v", err)
	}
}

// TestExamineWithoutADestination looks at the source alone.
func TestExamineWithoutADestination(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "one")
	var got []string
	_, err := h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		deps.Client = nil
		return engine.Result{}, engine.Examine(t.Context(), job, deps, func(f engine.Finding) { got = append(got, f.Message) })
	})
	if d := cmp.Diff([]string{"Memory responds", "1 part can be read"}, got); d != "" || err != nil || len(h.sent) > 0 {
		t.Errorf("%v, sent %v\n%s", err, h.sent, d)
	}
	h.source.Each = func(string, int) { panic("boom") }
	if _, err := h.do(func(job engine.Job, deps engine.Deps) (engine.Result, error) {
		return engine.Result{}, engine.Examine(t.Context(), job, deps, func(engine.Finding) {})
	}); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a crash: %v", err)
	}
}

// answering replaces the response to a request for a path.
type answering struct {
	next         http.RoundTripper
	path, answer string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.URL.Path != a.path {
		return a.next.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	_, err := w.WriteString(a.answer)
	return w.Result(), err
}
