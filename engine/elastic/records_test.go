package elastic_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

func embeddedClient(t *testing.T) *elastic.Client {
	t.Helper()
	server := elastictest.Embedded(t, embedded.Options{})
	c, err := elastic.New(elastic.Config{URL: "http://embedded", Transport: server.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRecords: each write of a record is guarded by the version that was read.
func TestRecords(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), embeddedClient(t)
	if _, err := c.Record(ctx, "records", "1"); !errors.Is(err, elastic.ErrNotFound) {
		t.Errorf("of an index that is not there: %v", err)
	}
	err := c.CreateFrom(ctx, "records-v1", []byte(`{"aliases":{"records":{}},"mappings":{"dynamic":false,"properties":{"n":{"type":"long"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CreateFrom(ctx, "records-v1", []byte(`{}`)); err != nil {
		t.Errorf("the second to make an index: %v", err)
	}
	first, err := c.CreateRecord(ctx, "records", "1", []byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateRecord(ctx, "records", "1", []byte(`{"n":2}`)); !errors.Is(err, elastic.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	second, err := c.ReplaceRecord(ctx, "records", first, []byte(`{"n":3}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReplaceRecord(ctx, "records", first, []byte(`{"n":4}`)); !errors.Is(err, elastic.ErrConflict) {
		t.Errorf("written over what was not read: %v", err)
	}
	if err := c.DeleteRecord(ctx, "records", first); !errors.Is(err, elastic.ErrConflict) {
		t.Errorf("deleted what was not read: %v", err)
	}
	now, err := c.Record(ctx, "records", "1")
	if err != nil || string(now.Source) != `{"n":3}` || now.SeqNo != second.SeqNo || now.PrimaryTerm != second.PrimaryTerm {
		t.Errorf("read %+v, %v", now, err)
	}
	if err := c.DeleteRecord(ctx, "records", second); err != nil {
		t.Error(err)
	}
	if _, err := c.Record(ctx, "records", "1"); !errors.Is(err, elastic.ErrNotFound) {
		t.Errorf("of a record that was deleted: %v", err)
	}
}

func TestRecordsAreFound(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), embeddedClient(t)
	if err := c.CreateFrom(ctx, "records", []byte(`{"mappings":{"dynamic":false,"properties":{"n":{"type":"long"}}}}`)); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if _, err := c.CreateRecord(ctx, "records", fmt.Sprint("id/", n), fmt.Appendf(nil, `{"n":%d}`, n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Refresh(ctx, "records"); err != nil {
		t.Fatal(err)
	}
	down := []any{map[string]string{"n": "desc"}}
	for _, tt := range []struct {
		name   string
		search elastic.Search
		want   []string
	}{
		{"all, in an order", elastic.Search{Sort: down}, []string{"id/4", "id/3", "id/2", "id/1", "id/0"}},
		{"the first ones", elastic.Search{Sort: down, Size: 2}, []string{"id/4", "id/3"}},
		{"those of a query", elastic.Search{Query: map[string]any{"term": map[string]any{"n": 2}}}, []string{"id/2"}},
	} {
		found, err := c.Records(ctx, "records", tt.search)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range found {
			got = append(got, r.ID)
			if whole, err := c.Record(ctx, "records", r.ID); err != nil || cmp.Diff(whole, r) != "" {
				t.Errorf("%s: found %+v, is %+v (%v)", tt.name, r, whole, err)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if n, err := c.Count(ctx, "records"); n != 5 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

// TestHasConnectorAPI: a server that does not know the path says so in one of several ways.
func TestHasConnectorAPI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		body   string
		want   bool
		err    error
	}{
		{200, `{"count":0,"results":[]}`, true, nil},
		{404, `{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`, true, nil},
		{400, `{"error":"no handler found for uri [/_connector/_sync_job] and method [GET]"}`, false, nil},
		{405, `{"error":"Incorrect HTTP method"}`, false, nil},
		{501, `{"error":{"type":"not_implemented_in_embedded","reason":"x"}}`, false, nil},
		{403, `{"error":{"type":"security_exception","reason":"x"}}`, false, elastic.ErrAuth},
		{503, `{"error":{"type":"x","reason":"x"}}`, false, elastic.ErrTemporary},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_connector/_sync_job" || r.Header.Get("X-Elastic-Product-Origin") != "connectors" {
				t.Errorf("%s %s, origin %q", r.Method, r.URL, r.Header.Get("X-Elastic-Product-Origin"))
			}
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		}))
		c, err := elastic.New(elastic.Config{URL: server.URL, Transport: http.DefaultTransport})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.HasConnectorAPI(t.Context())
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("status %d: %v, %v", tt.status, got, err)
		}
		server.Close()
	}
}

// TestConnectorAPIRequests: method, path and body are those of the API's specification,
// https://www.elastic.co/docs/api/doc/elasticsearch/group/endpoint-connector.
func TestConnectorAPIRequests(t *testing.T) {
	t.Parallel()
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body any
		_ = json.NewDecoder(r.Body).Decode(&body)
		text, _ := json.Marshal(body)
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), strings.TrimSuffix(string(text), "null"))))
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"result":"updated","id":"new"}`)
	}))
	t.Cleanup(server.Close)
	c, err := elastic.New(elastic.Config{URL: server.URL, Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	id, err := c.NewJob(ctx, "c/1", "full", "on_demand")
	if err != nil || id != "new" {
		t.Errorf("new job %q, %v", id, err)
	}
	for _, err := range []error{
		c.CheckIn(ctx, "c/1"), c.SetJobStats(ctx, "j", map[string]any{"indexed_document_count": 1}),
		c.PutConnector(ctx, "c", map[string]any{"name": "n"}), c.DeleteConnector(ctx, "c"),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`POST /_connector/_sync_job {"id":"c/1","job_type":"full","trigger_method":"on_demand"}`,
		`PUT /_connector/c%2F1/_check_in`,
		`PUT /_connector/_sync_job/j/_stats {"indexed_document_count":1}`,
		`PUT /_connector/c {"name":"n"}`,
		`DELETE /_connector/c?delete_sync_jobs=true`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
