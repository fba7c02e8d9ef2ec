package elastictest_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

func TestRealServer(t *testing.T) {
	t.Parallel()
	url := os.Getenv("TEST_ELASTICSEARCH_URL")
	if url == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TEST_ELASTICSEARCH_URL is not set")
		}
		t.Skip("TEST_ELASTICSEARCH_URL is not set")
	}
	elastictest.Run(t, http.DefaultTransport, strings.TrimRight(url, "/"))
}
