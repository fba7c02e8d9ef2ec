package protocol

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// clock tells the time by which records are written and judged. Machines that serve the same connectors
// may have clocks that differ by hours; the server's is one for all of them.
type clock struct {
	machine func() time.Time
	ask     func(context.Context) (time.Duration, error) // nil takes the machine's for the server's
	ahead   atomic.Int64                                 // nanoseconds that the server's clock is ahead
	said    sync.Once
}

// muchAhead is a difference that people should know of.
const muchAhead = time.Minute

// set asks for the difference once more. While there is no answer the last one holds.
func (c *clock) set(ctx context.Context, log *slog.Logger) {
	if c.ask == nil {
		return
	}
	ahead, err := c.ask(ctx)
	if err != nil {
		log.Debug("the server's clock is not known, so this machine's counts", report.Err, err.Error())
		return
	}
	c.ahead.Store(int64(ahead))
	if ahead.Abs() > muchAhead {
		c.said.Do(func() {
			log.Info("this machine's clock differs from that of Elasticsearch, which counts for connectors and sync jobs",
				"machine", c.machine().UTC().Format(time.RFC3339), "elasticsearch", c.machine().Add(ahead).UTC().Format(time.RFC3339))
		})
	}
}

// now is the server's time.
func (s *Store) now() time.Time { return s.clock.machine().Add(time.Duration(s.clock.ahead.Load())) }
