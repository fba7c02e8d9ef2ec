package elastictest_test

import (
	"net/http"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

func TestRealServer(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, url string) { elastictest.Run(t, http.DefaultTransport, url) })
}
