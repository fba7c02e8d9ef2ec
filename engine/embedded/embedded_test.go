package embedded_test

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

func openServer(t *testing.T, o embedded.Options) *embedded.Server {
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

func TestContract(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		elastictest.Run(t, openServer(t, embedded.Options{}).Transport(), "http://embedded")
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		elastictest.Run(t, openServer(t, embedded.Options{Dir: t.TempDir()}).Transport(), "http://embedded")
	})
}
