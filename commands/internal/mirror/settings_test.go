package mirror

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// TestIDsSpillIntoTheStateFolder: with the limit of the configuration.
func TestIDsSpillIntoTheStateFolder(t *testing.T) {
	t.Parallel()
	s := settingsOf(&config.Config{Engine: config.Engine{IDsMemory: 1 << 20}}, "state")
	if s.IDsMemory != 1<<20 || s.IDsDir != "state" {
		t.Fatalf("%+v", s)
	}
}
