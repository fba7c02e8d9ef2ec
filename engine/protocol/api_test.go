package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// withAPI puts the Connector APIs before a destination that has none, as far as this program calls them
// and as https://www.elastic.co/docs/api/doc/elasticsearch/group/endpoint-connector specifies them:
// required fields are required, fields that are not in the specification are refused, and what an API
// changes is changed in the indices. It is no Elasticsearch: see docs/testing.md.
type withAPI struct {
	next http.RoundTripper

	mu     sync.Mutex
	called []string // method and path, with * for ids
}

// RoundTrip implements [http.RoundTripper].
func (a *withAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Path, "/_connector") {
		return a.next.RoundTrip(r)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	body := map[string]json.RawMessage{}
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(raw, &body)
		_ = r.Body.Close()
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/_connector/"), "/")
	for _, route := range a.routes() {
		if id, ok := route.match(r.Method, parts); ok {
			a.called = append(a.called, r.Method+" "+route.path)
			a.answer(w, route, id, body)
			return w.Result(), nil
		}
	}
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"error":"no handler found for uri [%s] and method [%s]"}`, r.URL.Path, r.Method)
	return w.Result(), nil
}

type apiRoute struct {
	method, path       string
	required, optional []string
	do                 func(id string, body map[string]json.RawMessage) (any, error)
}

func (r apiRoute) match(method string, parts []string) (id string, ok bool) {
	want := strings.Split(r.path, "/")
	if method != r.method || len(want) != len(parts) {
		return "", false
	}
	for i := range want {
		if want[i] == "*" {
			id, _ = url.PathUnescape(parts[i])
		} else if want[i] != parts[i] {
			return "", false
		}
	}
	return id, true
}

func (a *withAPI) answer(w *httptest.ResponseRecorder, r apiRoute, id string, body map[string]json.RawMessage) {
	for _, name := range r.required {
		if body[name] == nil {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"type":"x_content_parse_exception","reason":"Required [%s]"}}`, name)
			return
		}
	}
	for name := range body {
		if !slices.Contains(append(r.required, r.optional...), name) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"error":{"type":"x_content_parse_exception","reason":"unknown field [%s]"}}`, name)
			return
		}
	}
	answer, err := r.do(id, body)
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":{"type":"resource_not_found_exception","reason":%q}}`, err)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (a *withAPI) routes() []apiRoute {
	now := func() string { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).Format(time.RFC3339) }
	updated := map[string]string{"result": "updated"}
	return []apiRoute{
		{"GET", "_sync_job", nil, nil, func(string, map[string]json.RawMessage) (any, error) {
			return map[string]any{"count": 0, "results": []any{}}, nil
		}},
		{"PUT", "*/_check_in", nil, nil, func(id string, _ map[string]json.RawMessage) (any, error) {
			return updated, a.merge(ConnectorsIndex, id, map[string]any{"last_seen": now()})
		}},
		{
			"PUT", "_sync_job/*/_stats",
			[]string{"deleted_document_count", "indexed_document_count", "indexed_document_volume"},
			[]string{"total_document_count", "last_seen", "metadata"},
			func(id string, body map[string]json.RawMessage) (any, error) {
				change := map[string]any{}
				for name, value := range body {
					change[name] = value
				}
				return updated, a.merge(JobsIndex, id, change)
			},
		},
		{"POST", "_sync_job", []string{"id"}, []string{"job_type", "trigger_method"}, a.newJob},
		{
			"PUT", "*", nil,
			[]string{"description", "index_name", "is_native", "language", "name", "service_type"},
			func(id string, body map[string]json.RawMessage) (any, error) {
				record := map[string]any{
					"status": "created", "configuration": map[string]any{}, "custom_scheduling": map[string]any{}, "sync_now": false,
					"pipeline":   map[string]any{"name": "search-default-ingestion", "extract_binary_content": true, "reduce_whitespace": true, "run_ml_inference": true},
					"scheduling": map[string]any{}, "filtering": DefaultFiltering(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)),
				}
				for name, value := range body {
					record[name] = value
				}
				return map[string]string{"result": "created", "id": id}, a.put(ConnectorsIndex, id, record)
			},
		},
		{"DELETE", "*", nil, nil, func(id string, _ map[string]json.RawMessage) (any, error) {
			return map[string]bool{"acknowledged": true}, a.merge(ConnectorsIndex, id, map[string]any{"deleted": true})
		}},
	}
}

// newJob makes a job as the API does: with the active rules in a list.
func (a *withAPI) newJob(_ string, body map[string]json.RawMessage) (any, error) {
	var id string
	_ = json.Unmarshal(body["id"], &id)
	c, err := a.get(ConnectorsIndex, id)
	if err != nil {
		return nil, err
	}
	snapshot := map[string]any{"id": id}
	for _, name := range []string{"index_name", "language", "pipeline", "service_type", "configuration"} {
		snapshot[name] = c[name]
	}
	var domains []map[string]json.RawMessage
	_ = json.Unmarshal(c["filtering"], &domains)
	snapshot["filtering"] = []json.RawMessage{domains[0]["active"]}
	job := map[string]any{
		"connector": snapshot, "status": "pending", "job_type": "full", "trigger_method": "on_demand", "created_at": "2030-01-02T03:04:05Z",
		"last_seen": "2030-01-02T03:04:05Z", "indexed_document_count": 0, "indexed_document_volume": 0, "deleted_document_count": 0,
		"total_document_count": 0, "metadata": map[string]any{},
	}
	for _, name := range []string{"job_type", "trigger_method"} {
		if body[name] != nil {
			job[name] = body[name]
		}
	}
	jobID := newID()
	return map[string]string{"id": jobID}, a.put(JobsIndex, jobID, job)
}

func (a *withAPI) get(index, id string) (map[string]json.RawMessage, error) {
	var answer struct {
		Source map[string]json.RawMessage `json:"_source"`
	}
	err := a.send(http.MethodGet, index, id, nil, &answer)
	return answer.Source, err
}

func (a *withAPI) merge(index, id string, change map[string]any) error {
	old, err := a.get(index, id)
	if err != nil {
		return err
	}
	record := map[string]any{}
	for name, value := range old {
		record[name] = value
	}
	maps.Copy(record, change)
	return a.put(index, id, record)
}

func (a *withAPI) put(index, id string, record any) error {
	raw, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return a.send(http.MethodPut, index, id, raw, nil)
}

func (a *withAPI) send(method, index, id string, body []byte, out any) error {
	req := httptest.NewRequest(method, "http://embedded/"+index+"/_doc/"+url.PathEscape(id), bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	res, err := a.next.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, req.URL, res.StatusCode, raw)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(raw, out)
	}
	return err
}

// TestConnectorAPIs: where the server has them, connectors and jobs are created, checked in and counted by
// them, and the records come to the same.
func TestConnectorAPIs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	api := &withAPI{next: c.transport}
	c.transport = api
	p := c.program(api)
	client := p.Store.client
	s, err := Open(t.Context(), StoreOptions{Client: client, Log: p.Store.log, Now: c.clock, UseAPI: true})
	if err != nil || !s.api {
		t.Fatal(err, s.api)
	}
	s.version = "9.5.3"
	p.Store = s
	typ := shop()
	b := s.NewConnector("Shop", "search-shop", "en", &typ)
	b.Status, b.Description = ConnectorConfigured, "d"
	r, err := s.CreateConnector(t.Context(), "c", b)
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Status != ConnectorConfigured || len(r.Body.Configuration) != 2 || r.Body.Language != "en" || r.Body.Description != "d" {
		t.Errorf("created: %+v", r.Body)
	}
	id, err := s.StartJob(t.Context(), &r, JobFull)
	if err != nil {
		t.Fatal(err)
	}
	p.during = nil
	c.poll(p)
	if len(p.ran) != 1 || p.ran[0] != id {
		t.Errorf("run %v, want %s", p.ran, id)
	}
	if got := c.connector().Body; got.LastSyncStatus != JobCompleted || got.LastSeen.IsZero() {
		t.Errorf("connector: %+v", got)
	}
	if err := s.DeleteConnector(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET _sync_job", "PUT *", "POST _sync_job", "PUT */_check_in", "DELETE *"}
	for _, call := range want {
		if !slices.Contains(api.called, call) {
			t.Errorf("%s was not called: %v", call, api.called)
		}
	}
}

// TestCountsByTheConnectorAPI: a run that lasts sends them by the API.
func TestCountsByTheConnectorAPI(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	api := &withAPI{next: c.transport}
	s := c.store(api)
	claim := c.claimed(s)
	s.api = true
	if err := claim.saveProgress(t.Context(), Counts{Indexed: 5, Deleted: 2, Bytes: 3 << 20}); err != nil {
		t.Fatal(err)
	}
	if j := c.jobs()[0].Body; j.IndexedDocumentCount != 5 || j.DeletedDocumentCount != 2 || j.IndexedDocumentVolume != 3 || j.Status != JobInProgress {
		t.Errorf("job: %+v", j)
	}
	if err := claim.Finish(t.Context(), Ending{Event: JobEventComplete}); err != nil {
		t.Fatal(err)
	}
	if got := c.statuses(); got != "full completed" {
		t.Error(got)
	}
}
