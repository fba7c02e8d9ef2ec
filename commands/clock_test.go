package commands

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestRecordsHaveTheTimeOfElasticsearch: if the clock of this machine is wrong by hours, a job still has
// Elasticsearch's time.
func TestRecordsHaveTheTimeOfElasticsearch(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, server string) {
		elastictest.Alone(t, server)
		id := "clock-" + strings.ToLower(rand.Text())[:16]
		kibana := kibanatest.New(t, server, http.DefaultTransport, time.Now)
		kibana.CreateConnector(kibanatest.Connector{ID: id, Name: id, Index: id, ServiceType: "scripted"})
		kibana.Configure(id, map[string]any{})
		t.Cleanup(func() { kibana.Purge(id, id) })
		file := filepath.Join(t.TempDir(), "config.yml")
		writeFile(t, file, fmt.Sprintf("elasticsearch: {host: %q}\nconnectors:\n  - {connector_id: %s, service_type: scripted}\n", server, id))
		streams, _, stderr := term.TestStreams(0, nil)
		before := time.Now()
		wrong := &setup.App{
			Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: func(string) (string, bool) { return "", false }},
			Now: func() time.Time { return time.Now().Add(-26 * time.Hour) },
		}
		if code := Run(t.Context(), t.Context(), wrong, []string{"job", "start", id, "-c", file}); code != ExitOK {
			t.Fatalf("exit code %d\n%s", code, stderr)
		}
		jobs := kibana.Jobs(id)
		if len(jobs) != 1 {
			t.Fatalf("%d jobs", len(jobs))
		}
		created, err := time.Parse(time.RFC3339Nano, fmt.Sprint(jobs[0].Source["created_at"]))
		if err != nil || created.Before(before.Add(-time.Minute)) || created.After(time.Now().Add(time.Minute)) {
			t.Errorf("created at %v, %v; it was %v before", created, err, before)
		}
	})
}
