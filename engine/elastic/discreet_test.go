package elastic

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestErrorsQuoteNoValues: a mail and Kibana show them; the reason itself is kept for the dead-letter file.
func TestErrorsQuoteNoValues(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"":                      "",
		"no such index [a]":     "no such index [a]",
		"Preview of my changes": "Preview of my changes",
		"Provided Grok expressions do not match field value: [hunter2 [x]]": "Provided Grok expressions do not match field value: …",
		"unable to convert [hunter2] to integer":                            "unable to convert …",
		"unable to parse date [hunter2]":                                    "unable to parse date …",
		"For input string: \"hunter2\"":                                     "For input string: …",
		"[1:6] failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'hunter2': For input string: \"hunter2\"": "[1:6] failed to parse field [n] of type [long] in document with id '1'",
		"failed. Preview of field's value: 'a': b'\nhunter2'":                                                               "failed",
		"[1:8] failed to parse: Unrecognized token 'x'\n at [Source: (byte[])\"{\"b\":\"hunter2\"}\"; line: 1, column: 19]": "[1:8] failed to parse: Unrecognized token 'x'",
	} {
		if got := WithoutValues(reason); got != want {
			t.Errorf("%q: got %q, want %q", reason, got, want)
		}
		e := &Error{Op: "write", Status: 400, Type: "t", Reason: reason}
		if text := e.Error(); strings.Contains(text, "hunter2") || e.Reason != reason {
			t.Errorf("%q: %s", reason, text)
		}
	}
}

// TestTheServerLearnsWhichConnectorAsks by a header that holds any name.
func TestTheServerLearnsWhichConnectorAsks(t *testing.T) {
	t.Parallel()
	url, last := serve(t, 200, `{"version":{"number":"9.5.3"}}`, elasticHeader)
	for _, tt := range []struct {
		id   string
		own  map[string]string
		want string
	}{
		{"", nil, ""},
		{"elastic-ingest/shop", nil, "elastic-ingest/shop"},
		{"elastic-ingest/sh\r\nop é\x00\xff\"", nil, "elastic-ingest/sh__op_____"},
		{"elastic-ingest/" + strings.Repeat("a", 500), nil, "elastic-ingest/" + strings.Repeat("a", 113)},
		{"elastic-ingest/shop", map[string]string{"X-Opaque-Id": "mine"}, "mine"},
	} {
		if _, err := newClient(t, Config{URL: url, OpaqueID: tt.id, Headers: tt.own}).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := last().Get("X-Opaque-Id"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.id, got, tt.want)
		}
	}
}

// TestBulkRequestsKeepDocumentsOutOfErrors, on servers that can do that. A node of an older version refuses the
// parameter, and gets the request without it.
func TestBulkRequestsKeepDocumentsOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version, flavor string
		old             bool // a node of an older version answers
		want            []string
	}{
		{"8.17.9", "default", false, []string{"", ""}},
		{"8.18.0", "default", false, []string{"false", "false"}},
		{"9.5.3", "default", false, []string{"false", "false"}},
		{"8.11.0", "serverless", false, []string{"false", "false"}},
		{"unknown", "default", false, []string{"", ""}},
		{"8.18.0", "default", true, []string{"false", "", ""}},
	} {
		var mu sync.Mutex
		var got []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			w.Header().Set("Content-Type", compatibleJSON)
			if r.URL.Path == "/" {
				fmt.Fprintf(w, `{"version":{"number":%q,"build_flavor":%q}}`, tt.version, tt.flavor)
				return
			}
			asked := r.URL.Query().Get("include_source_on_error")
			mu.Lock()
			got = append(got, asked)
			mu.Unlock()
			if tt.old && asked != "" {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error":{"type":"illegal_argument_exception","reason":"request [/i/_bulk] contains unrecognized parameter: [include_source_on_error]"},"status":400}`)
				return
			}
			fmt.Fprint(w, `{"items":[{"index":{"_index":"i","_id":"1","status":201,"result":"created"}}]}`)
		}))
		t.Cleanup(s.Close)
		c := newClient(t, Config{URL: s.URL})
		if _, err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.Bulk(t.Context(), Bulk{Index: "i", Body: append(AppendIndex(nil, "1"), "{}\n"...), Count: 1, ID: func(int) string { return "1" }}); err != nil {
				t.Errorf("%s: %v", tt.version, err)
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.version, d)
		}
	}
}
