package protocol

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/kibanatest"
)

// TestKibanaGivesNewConnectorsThePipelineOfTheServersVersion: Kibana copies it from the index that Ensure creates.
func TestKibanaGivesNewConnectorsThePipelineOfTheServersVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"8.19.9": "ent-search-generic-ingestion", "9.5.3": "search-default-ingestion"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := elastictest.Embedded(t, embedded.Options{})
			s := openWith(t, server.Transport(), StoreOptions{Info: elastic.Info{Version: version}, Now: managedNow})
			if err := s.Ensure(t.Context()); err != nil {
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
