package protocol

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOneBadJobStopsNoPoll: what is no job of any connector is reported and skipped, in every loop over
// the records.
func TestOneBadJobStopsNoPoll(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"connector":null,"status":"pending","created_at":"2026-01-01T00:00:00Z"}`,
		`{"connector":null,"status":"in_progress","created_at":"2026-01-01T00:00:00Z","last_seen":"2026-01-01T00:00:00Z"}`,
		`{"connector":{"id":""},"status":"suspended"}`, `{"connector":"c","status":"canceling"}`, `{"status":"in_progress"}`,
		`{"connector":{"id":"` + strings.Repeat("x", 600) + `"},"status":"in_progress"}`, `{"connector":{"id":7},"status":"pending"}`,
	} {
		c := newCluster(t)
		r := c.connect()
		s := c.store(c.transport)
		if _, err := s.client.CreateRecord(t.Context(), JobsIndex, "bad", []byte(bad)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.StartJob(t.Context(), &r, JobFull); err != nil {
			t.Fatal(err)
		}
		p := c.program(c.transport)
		c.poll(p)
		if len(p.ran) != 1 {
			t.Errorf("%.60s: %d jobs were run", bad, len(p.ran))
		}
		if err := p.Cleanup(t.Context()); err != nil {
			t.Errorf("%.60s: clean up: %v", bad, err)
		}
		if _, _, err := s.RunnableJob(t.Context(), &r, JobFull); err != nil {
			t.Errorf("%.60s: a named sync: %v", bad, err)
		}
	}
}

// silentIndex answers nothing that is asked of an index, as one does whose shards are not assigned.
type silentIndex struct {
	http.RoundTripper
	name string
}

func (s *silentIndex) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/"+s.name+"/") {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	return s.RoundTripper.RoundTrip(r)
}

// TestAJobEndsThoughItsIndexDoesNotAnswer: its end is worth more than the number of documents.
func TestAJobEndsThoughItsIndexDoesNotAnswer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, c *cluster, s *Store) {
		claim := c.claimed(s)
		claim.store = c.store(&silentIndex{c.transport, "search-shop"})
		claim.store.clock.machine = time.Now
		began := time.Now()
		if err := claim.Finish(t.Context(), Ending{Event: JobEventComplete}); err != nil || time.Since(began) > finalPatience {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if got := c.statuses(); got != "full completed" {
			t.Errorf("the jobs: %s", got)
		}
	})
}
