package elastic_test

import (
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestClockOfAServer: a real node says its time, so a clock that is wrong by an hour is known to be.
func TestClockOfAServer(t *testing.T) {
	t.Parallel()
	elastictest.Servers(t, func(t *testing.T, url string) {
		c, err := elastic.New(elastic.Config{URL: url, Timeout: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, off := range []time.Duration{0, time.Hour, -time.Hour, -50 * 365 * 24 * time.Hour} {
			ahead, err := c.ClockAhead(t.Context(), func() time.Time { return time.Now().Add(off) })
			if wrong := ahead + off; err != nil || wrong.Abs() > time.Minute { // a loaded machine answers late
				t.Errorf("off by %v: ahead by %v, %v", off, ahead, err)
			}
		}
	})
}
