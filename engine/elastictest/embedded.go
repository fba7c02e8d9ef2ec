package elastictest

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// Embedded opens an embedded store and closes it when the test ends.
func Embedded(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
