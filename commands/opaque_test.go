package commands

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequestsNameTheirConnector, so that slow logs and tasks of Elasticsearch show it.
func TestRequestsNameTheirConnector(t *testing.T) {
	t.Parallel()
	store := storeInMemory(t)
	var mu sync.Mutex
	names := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		names[r.Header.Get("X-Opaque-Id")] = true
		mu.Unlock()
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "config.yml"), "elasticsearch.host: "+server.URL+"\nconnectors:\n"+
		"  - {name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json}}\n"+
		"  - {name: shöp, service_type: scripted, index_name: search-shop, configuration: {script: script.json}}\n")
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	if out, err := programIn(t, dir, "sync", "--all").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if d := cmp.Diff(map[string]bool{"elastic-ingest/notes": true, "elastic-ingest/sh_p": true}, names); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
