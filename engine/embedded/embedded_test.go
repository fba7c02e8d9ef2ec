package embedded_test

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

func TestContract(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		elastictest.Run(t, elastictest.Embedded(t, embedded.Options{}).Transport(), "http://embedded")
	})
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		elastictest.Run(t, elastictest.Embedded(t, embedded.Options{Dir: t.TempDir()}).Transport(), "http://embedded")
	})
}
