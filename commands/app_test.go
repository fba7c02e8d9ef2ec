package commands

import (
	"errors"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

func TestFullDiskIsNoSuccess(t *testing.T) {
	t.Parallel()
	s, _, stderr := term.TestStreams(0, nil)
	s.Out = fullDisk{}
	a := &setup.App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
	if got := Run(t.Context(), t.Context(), a, []string{"version"}); got != ExitFailed || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit %d, stderr %q", got, stderr)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
