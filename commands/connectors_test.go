package commands

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	two := []config.Connector{{Name: "one"}, {Name: "two", ConnectorID: "7Dx"}}
	tests := []struct {
		name       string
		connectors []config.Connector
		names      []string
		all        bool
		want       string
	}{
		{"the only one needs no name", two[:1], nil, false, "one"},
		{"several do", two, nil, false, "the configuration has 2 connectors: one, two"},
		{"all of them", two, nil, true, "one two"},
		{"in the order of the command line, each once", two, []string{"two", "one", "two"}, false, "two one"},
		{"one of Elasticsearch by its id, too", two, []string{"7Dx", "two"}, false, "two"},
		{"none", nil, nil, true, "the configuration names no connector"},
		{"names of connectors of Elasticsearch alone", nil, []string{"a"}, false, `, and "a"`},
		{"names that are not there, each once", two, []string{"a", "one", "a"}, false, `one, and "a"`},
		{"an empty name is nobody's id", two, []string{""}, false, `, and ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chosen, unknown, err := choose(tt.connectors, tt.names, tt.all)
			got := strings.Join(records.ConnectorNames(chosen), " ")
			for _, name := range unknown {
				got += fmt.Sprintf(", and %q", name)
			}
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTwoNamesOfOneIndex has a destination where two aliases stand for one index. Nothing is written.
func TestTwoNamesOfOneIndex(t *testing.T) {
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
	if want := `the connectors "one" and "two" mean the same index "search-000007"`; code != ExitUsage || !strings.Contains(stderr, want) {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}
