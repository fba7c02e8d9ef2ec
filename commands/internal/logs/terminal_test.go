package logs

import (
	"bytes"
	"errors"
	"testing"
)

// TestOnTerminal: a person sees warnings and errors as messages, with the connector in front, and no logfmt.
func TestOnTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := OnTerminal(&Messages{To: &out}).With("connector", "shop", "source", "mysql")
	log.Info("reading the source")
	log.Warn("cannot close the source", "err", errors.New("broken pipe\x1b[2J"), "attempt", 2)
	log.Error("the progress display crashed", "err", "index out of range")
	want := `elastic-ingest: warning: mysql "shop": cannot close the source: broken pipe\x1b[2J (attempt 2)` + "\n" +
		`elastic-ingest: error: mysql "shop": the progress display crashed: index out of range` + "\n"
	if got := out.String(); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}
