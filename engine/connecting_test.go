package engine_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// never answers a request only when its context ends; asked is called for each request.
type never struct{ asked func() }

func (n never) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked()
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// TestTheTimeLimitBoundsReachingTheDestination: a server that accepts a connection and sends nothing would
// otherwise block a run for minutes.
func TestTheTimeLimitBoundsReachingTheDestination(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put("a", "1", "v")
	until, over := context.WithCancel(t.Context())
	h.store, h.deps.Until = never{over}, until
	h.deps.Await = retry.Policy{First: time.Hour, Max: time.Hour, Patience: time.Hour}
	if _, err := h.run(t.Context()); !errors.Is(err, engine.ErrTimeIsUp) {
		t.Error(err)
	}
}
