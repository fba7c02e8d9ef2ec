package commands

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestListDoesNotWait: list queries the destination once, and not for long, whatever patience is configured.
func TestListDoesNotWait(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	for name, answer := range map[string]http.HandlerFunc{
		"busy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-ended:
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				answer(w, r)
			}))
			t.Cleanup(server.Close)
			file := filepath.Join(t.TempDir(), "config.yml")
			writeFile(t, file, `
elasticsearch: {host: "`+server.URL+`", max_wait_duration: 1h, request_timeout: 1h}
connectors:
  - {name: docs, service_type: scripted, index_name: search-docs}
`)
			type result struct {
				code        int
				out, errors string
			}
			results := make(chan result)
			for _, args := range [][]string{{"list"}, {"list", "connectors"}} {
				go func() {
					code, out, errs := runApp(t, 0, append(args, "-c", file)...)
					results <- result{code, out, errs}
				}()
			}
			codes := map[int]string{}
			for range 2 {
				r := <-results
				if codes[r.code] = r.errors; !strings.Contains(r.out, "search-docs") {
					t.Errorf("exit %d: the connectors of the file are not listed: %q", r.code, r.out)
				}
			}
			if !strings.Contains(codes[ExitOK], "warning: reach Elasticsearch") || !strings.Contains(codes[ExitTemporary], "error: reach Elasticsearch") {
				t.Errorf("%v", codes)
			}
			if n := asked.Load(); n != 2 {
				t.Errorf("%d requests, want one each", n)
			}
		})
	}
}
