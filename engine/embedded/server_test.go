package embedded

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func memory(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// TestUnknownIsLoud asks for things that Elasticsearch has and this package has not.
func TestUnknownIsLoud(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	if status, body := do(t, s, http.MethodPost, "/i/_bulk?refresh=true", "{\"index\":{\"_id\":\"1\"}}\n{\"t\":\"some words\",\"d\":\"2024-01-01\",\"n\":5}\n"); status != http.StatusOK {
		t.Fatal(body)
	}
	if status, body := do(t, s, http.MethodPut, "/typed", `{"mappings":{"properties":{"t":{"type":"text"},"d":{"type":"date"},"n":{"type":"long"}}}}`); status != http.StatusOK {
		t.Fatal(body)
	}
	for _, tc := range []struct{ method, path, body, names string }{
		{"GET", "/_cluster/health", "", "_cluster/health"},
		{"GET", "/_cat/indices", "", "_cat/indices"},
		{"POST", "/", "", "POST /"},
		{"POST", "/i/_delete_by_query", `{}`, "_delete_by_query"},
		{"PUT", "/i/_settings", `{}`, "_settings"},
		{"GET", "/i/_doc/1?preference=x", "", "preference"},
		{"POST", "/i/_search?q=x", "", "[q]"},
		{"POST", "/_search", `{}`, "all indices"},
		{"POST", "/i,j/_search", `{}`, "i,j"},
		{"GET", "/i*", "", "i*"},
		{"POST", "/i/_search", `{"aggs":{"n":{"terms":{"field":"n"}}}}`, "aggs"},
		{"POST", "/i/_search", `{"aggs":{"n":{"avg":{"field":"n"}}}}`, "aggs"},
		{"POST", "/i/_search", `{"query":{"match":{"t":"x"}}}`, "match"},
		{"POST", "/i/_search", `{"query":{"term":{"t":"some"}}}`, "[t]"},
		{"POST", "/i/_search", `{"query":{"term":{"d.keyword":"2024-01-01"}}}`, "d.keyword"},
		{"POST", "/i/_search", `{"sort":["n"]}`, "[n]"},
		{"POST", "/i/_search", `{"sort":["_score"]}`, "_score"},
		{"POST", "/i/_search", `{"query":{"bool":{"must":[],"boost_mode":1}}}`, "boost_mode"},
		{"POST", "/typed/_search", `{"query":{"term":{"t":"some"}}}`, "type [text]"},
		{"POST", "/typed/_search", `{"query":{"term":{"d":"2024-01-01"}}}`, "date field"},
		{"POST", "/typed/_search", `{"query":{"range":{"d":{"lte":"2024-01-01"}}}}`, "rounding"},
		{"POST", "/typed/_search", `{"query":{"range":{"d":{"gte":"now-1d"}}}}`, "now-1d"},
		{"POST", "/typed/_search", `{"query":{"range":{"n":{"gte":1.5}}}}`, "1.5"},
		{"POST", "/i/_bulk", "{\"update\":{\"_id\":\"1\"}}\n{}\n", "update"},
		{"POST", "/i/_bulk", "{\"index\":{\"_id\":\"1\",\"version\":3}}\n{}\n", "version"},
		{"POST", "/i/_update/1", `{"script":"x"}`, "script"},
		{"POST", "/i/_update/1", `{"doc":{},"doc_as_upsert":true}`, "doc_as_upsert"},
		{"PUT", "/k", `{"settings":{"default_pipeline":"p"}}`, "default_pipeline"},
		{"PUT", "/k", `{"mappings":{"_source":{"enabled":false}}}`, "_source"},
		{"PUT", "/k", `{"mappings":{"dynamic":"strict"}}`, "strict"},
		{"PUT", "/k", `{"aliases":{"a":{"filter":{}}}}`, "options of the alias"},
		{"PUT", "/k", `{"aliases":{"i":{}}}`, "name is taken"},
		{"PUT", "/_ingest/pipeline/p", `{}`, "_ingest/pipeline"},
	} {
		status, body := do(t, s, tc.method, tc.path, tc.body)
		if status != http.StatusNotImplemented || !strings.Contains(body, `"type":"not_implemented_in_embedded"`) || !strings.Contains(body, tc.names) {
			t.Errorf("%s %s %s: status %d, want 501 naming %q: %s", tc.method, tc.path, tc.body, status, tc.names, body)
		}
	}
	for query, want := range map[string]string{
		`{"term":{"n":5}}`:                    `{"count":1}`,
		`{"term":{"t.keyword":"some words"}}`: `{"count":1}`,
		`{"exists":{"field":"t"}}`:            `{"count":1}`,
	} {
		if status, body := do(t, s, http.MethodPost, "/i/_count?filter_path=count", `{"query":`+query+`}`); status != http.StatusOK || body != want {
			t.Errorf("%s of an unmapped field: status %d: %s, want %s", query, status, body, want)
		}
	}
}

// TestRefreshOnly fixes what a real server cannot be asked for: without a refresh nothing shows.
func TestRefreshOnly(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	count := func() string {
		_, body := do(t, s, http.MethodGet, "/i/_count?filter_path=count", "")
		return body
	}
	do(t, s, http.MethodPut, "/i/_doc/1", `{}`)
	if got := count(); got != `{"count":0}` {
		t.Errorf("before the refresh: %s", got)
	}
	do(t, s, http.MethodPost, "/i/_refresh", "")
	do(t, s, http.MethodPut, "/i/_doc/2", `{}`)
	do(t, s, http.MethodDelete, "/i/_doc/1", "")
	if got := count(); got != `{"count":1}` {
		t.Errorf("between two refreshes: %s", got)
	}
}

func TestPointInTimeExpires(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Unix(1_700_000_000, 0)
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	s := memory(t, Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	do(t, s, http.MethodPut, "/i/_doc/1?refresh=true", `{}`)
	_, body := do(t, s, http.MethodPost, "/i/_pit?keep_alive=1m", "")
	var pit struct{ ID string }
	if err := json.Unmarshal([]byte(body), &pit); err != nil {
		t.Fatal(err)
	}
	use := func(keep string) int {
		status, _ := do(t, s, http.MethodPost, "/_search", `{"pit":{"id":"`+pit.ID+`"`+keep+`}}`)
		return status
	}
	pass(50 * time.Second)
	if got := use(`,"keep_alive":"2m"`); got != http.StatusOK {
		t.Errorf("in time: status %d", got)
	}
	pass(110 * time.Second)
	if got := use(``); got != http.StatusOK {
		t.Errorf("renewed: status %d", got)
	}
	pass(11 * time.Second)
	if got := use(`,"keep_alive":"2m"`); got != http.StatusNotFound {
		t.Errorf("expired: status %d", got)
	}
	if len(s.pits) != 0 {
		t.Errorf("%d points in time are still held", len(s.pits))
	}
}

// closing counts how often a body is closed, and may fail.
type closing struct {
	io.Reader
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTransport(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	send := func(ctx context.Context, body io.ReadCloser, header http.Header) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://embedded/i/_doc/1", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		resp, err := s.Transport().RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close() // it is memory
		}
		return resp, err
	}
	jsonType := http.Header{"Content-Type": {"application/json"}}

	body := &closing{Reader: strings.NewReader(`{}`)}
	resp, err := send(t.Context(), body, jsonType)
	if err != nil || resp.StatusCode != http.StatusCreated || body.closed != 1 {
		t.Errorf("plain: %v, %v, closed %d times", resp, err, body.closed)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	body = &closing{Reader: strings.NewReader(`{}`)}
	if _, err := send(canceled, body, jsonType); !errors.Is(err, context.Canceled) || body.closed != 1 {
		t.Errorf("canceled: %v, closed %d times", err, body.closed)
	}
	body = &closing{Reader: broken{}}
	if _, err := send(t.Context(), body, jsonType); !errors.Is(err, io.ErrUnexpectedEOF) || body.closed != 1 {
		t.Errorf("broken body: %v, closed %d times", err, body.closed)
	}
	if resp, err := send(t.Context(), io.NopCloser(strings.NewReader(`{}`)), http.Header{"Content-Type": {"text/plain"}}); err != nil || resp.StatusCode != http.StatusNotAcceptable {
		t.Errorf("text/plain: %v, %v", resp, err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(`{"z":1}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}, "Accept": {"application/vnd.elasticsearch+json;compatible-with=8"}}
	resp, err = send(t.Context(), io.NopCloser(&zipped), header)
	if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != header.Get("Accept") {
		t.Errorf("gzip: %v, %v", resp, err)
	}
	if _, got := do(t, s, http.MethodGet, "/i/_doc/1?filter_path=_source", ""); got != `{"_source":{"z":1}}` {
		t.Errorf("gzip stored %s", got)
	}
}

// TestCancelDuringScan ends a search that would read everything.
func TestCancelDuringScan(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	var b strings.Builder
	for range 5000 {
		b.WriteString("{\"index\":{}}\n{\"a\":1}\n")
	}
	if status, body := do(t, s, http.MethodPost, "/i/_bulk?refresh=true", b.String()); status != http.StatusOK {
		t.Fatal(body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.search(&request{ctx: ctx, index: "i", body: []byte(`{"query":{"bool":{"must_not":{"match_all":{}}}}}`)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestConcurrent writes, refreshes, scans, and makes and deletes indices at once; the race detector
// and the final count are the judges.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := memory(t, Options{})
	const writers, rounds, size = 4, 20, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				body := strings.Repeat("{\"index\":{}}\n{\"w\":1}\n", size)
				if status, out := do(t, s, http.MethodPost, "/i/_bulk", body); status != http.StatusOK || strings.Contains(out, `"errors":true`) {
					t.Errorf("writer %d: status %d: %s", w, status, out)
				}
				do(t, s, http.MethodPost, "/i/_refresh", "")
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			do(t, s, http.MethodPut, "/other", `{"mappings":{"_meta":{"a":1}}}`)
			do(t, s, http.MethodPut, "/other/_mapping", `{"_meta":{"b":1}}`)
			do(t, s, http.MethodPut, "/other/_doc/1", `{}`)
			do(t, s, http.MethodGet, "/other/_doc/1", "")
			do(t, s, http.MethodPost, "/other/_update/1", `{"doc":{"x":1}}`)
			do(t, s, http.MethodDelete, "/other", "")
		}
	})
	wg.Go(func() {
		for range rounds {
			do(t, s, http.MethodPost, "/i/_search", `{"size":100,"sort":["_doc"]}`)
			do(t, s, http.MethodPost, "/i/_pit?keep_alive=1s", "")
			do(t, s, http.MethodGet, "/_resolve/index/*", "")
		}
	})
	wg.Wait()
	do(t, s, http.MethodPost, "/i/_refresh", "")
	if _, got := do(t, s, http.MethodGet, "/i/_count?filter_path=count", ""); got != `{"count":2000}` {
		t.Errorf("count is %s, want %d", got, writers*rounds*size)
	}
}
