package mirror

import (
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// TestALogForMachinesHasNoLiveLine: the line would appear between its records.
func TestALogForMachinesHasNoLiveLine(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]bool{logs.Text: true, logs.JSON: false, logs.ECS: false} {
		streams, _, _ := term.TestStreams(80, nil)
		c := &console{streams: streams, o: &Options{Flags: setup.Flags{Progress: term.Always, Format: format}}}
		if got := c.live(); got != want {
			t.Errorf("%s: got %v, want %v", format, got, want)
		}
	}
}
