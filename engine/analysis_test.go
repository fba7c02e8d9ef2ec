package engine_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// TestADefaultAnalysisIsNoWarning: an index that lacks an analysis causes a warning only where someone asked for it.
func TestADefaultAnalysisIsNoWarning(t *testing.T) {
	t.Parallel()
	create, err := elastic.NewCreation(map[string]any{"analysis": map[string]any{"filter": map[string]any{"de-stop": map[string]any{"type": "stop"}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t)
	h.put("a", "1", "v")
	h.sync()
	for _, assumed := range []bool{true, false} {
		var log bytes.Buffer
		h.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
		h.sync(func(j *engine.Job) { j.Create, j.DefaultAnalysis = create, assumed })
		if warned := strings.Contains(log.String(), "lacks the configured analysis"); warned == assumed {
			t.Errorf("assumed %v: %s", assumed, log.String())
		}
	}
}
