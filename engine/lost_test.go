package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// TestALostJobWritesNothingMore: a canceled or taken-over job drops the documents that it has read; after a signal
// there is time to write them.
func TestALostJobWritesNothingMore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cause error
		held  int
	}{
		"canceled": {protocol.ErrCanceled, 0}, "taken": {protocol.ErrTaken, 0}, "its connector deleted": {protocol.ErrDeleted, 0},
		"a signal": {errors.New("a signal"), 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.deps.ShutdownGrace = time.Hour
			h.source.Parts["a"] = numbered("a", "a", 9)
			ctx, end := context.WithCancelCause(t.Context())
			h.source.Blocks = map[string]int{"a": 5}
			h.source.Each = func(_ string, n int) {
				if n == 5 {
					end(tt.cause)
				}
			}
			if _, err := h.run(ctx); !errors.Is(err, tt.cause) {
				t.Errorf("%v", err)
			}
			if got := len(h.held()); got != tt.held {
				t.Errorf("%d documents were written, want %d", got, tt.held)
			}
		})
	}
}
