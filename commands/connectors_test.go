package commands

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwoNamesOfOneIndexAreRefused has a destination with two aliases of one index. Nothing is written.
func TestTwoNamesOfOneIndexAreRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"search-000007":{"mappings":{},"settings":{"index":{"uuid":"u","number_of_shards":"1"}}}}`)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "script.json"), `{}`)
	writeFile(t, filepath.Join(dir, "c.yml"), `
elasticsearch.host: `+server.URL+`
connectors:
  - {name: one, service_type: scripted, index_name: alias-one, configuration: {script: script.json}}
  - {name: two, service_type: scripted, index_name: alias-two, configuration: {script: script.json}}
`)
	code, _, stderr := runApp(t, 0, "sync", "--all", "-c", filepath.Join(dir, "c.yml"))
	if want := `connectors "one" and "two" use the same index "search-000007"`; code != ExitUsage || !strings.Contains(stderr, want) {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}
