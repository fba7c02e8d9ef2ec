package protocol

import (
	"log/slog"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestKibanaGivesNewConnectorsThePipelineOfTheServersVersion: Kibana copies it from the index that Ensure creates.
func TestKibanaGivesNewConnectorsThePipelineOfTheServersVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"8.19.9": "ent-search-generic-ingestion", "9.5.3": "search-default-ingestion"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server, err := embedded.Open(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = server.Close() })
			client, err := elastic.New(elastic.Config{URL: "http://embedded", Transport: server.Transport()})
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), StoreOptions{
				Client: client, Info: elastic.Info{Version: version}, Log: slog.New(slog.DiscardHandler), Now: managedNow,
			})
			if err == nil {
				err = s.Ensure(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			kibana := kibanatest.New(t, "http://embedded", server.Transport(), managedNow)
			kibana.CreateConnector(kibanatest.Connector{ID: "c", Name: "C", Index: "search-c"})
			if p := kibana.Connector("c")["pipeline"].(map[string]any); p["name"] != want {
				t.Errorf("the pipeline is %v, want %s", p["name"], want)
			}
		})
	}
}
