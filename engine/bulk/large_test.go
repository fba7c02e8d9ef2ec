package bulk

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/fault"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// TestALargeDocumentDoesNotFailItsNeighbors: a node rejects all operations of a request for which it has no
// memory. The small documents before and after the large one must not be in that request.
func TestALargeDocumentDoesNotFailItsNeighbors(t *testing.T) {
	t.Parallel()
	const limit = 1000
	refuse := fault.Items(func(string) string { return bad(429, "es_rejected_execution_exception") })
	accept := fault.Items(func(string) string { return ok })
	r := newRig(t, func(_ int, req *http.Request, body []byte) *http.Response {
		if len(body) > 4*limit {
			return refuse(req, body)
		}
		return accept(req, body)
	}, func(o *Options) { o.Bytes, o.Operations, o.Workers = limit, 100, 1 })
	r.apply("a", "b")
	r.applyLarge("big", 5*limit)
	r.apply("c", "d")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "create", "b": "create", "big": "reject", "c": "create", "d": "create"}
	if d := cmp.Diff(want, r.outcomes()); d != "" {
		t.Error(d)
	}
	for _, body := range r.node.bodies {
		if len(body) > limit && bytes.Count(body, []byte("\n")) > 2 {
			t.Errorf("a request of %d bytes holds more than one document", len(body))
		}
	}
}

// TestOneLargeDocumentDoesNotMakeAllRequestsLarge: a new request reserves memory for typical documents, and one
// document is not typical.
func TestOneLargeDocumentDoesNotMakeAllRequestsLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, allWell, func(o *Options) { o.Bytes = 1000 })
	r.applyLarge("big", 100_000)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if room := cap(r.w.take().body); room > 2000 {
		t.Errorf("the next request has room for %d bytes", room)
	}
}

// allWell answers that everything succeeded.
func allWell(_ int, r *http.Request, body []byte) *http.Response {
	return fault.Items(func(string) string { return ok })(r, body)
}

func (r *rig) applyLarge(id string, bytes int) {
	r.t.Helper()
	grant, err := r.budget.Acquire(r.t.Context(), int64(bytes))
	if err != nil {
		r.t.Fatal(err)
	}
	c := plan.Change{Kind: plan.Create, ID: id, Part: "p", Source: []byte(`{"v":"` + strings.Repeat("x", bytes) + `"}`), Grant: grant}
	if err := r.w.Apply(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}
