package protocol

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// clock is the clock by which records are written and compared. Machines that serve the same connectors
// may have clocks that differ by hours, so all of them use the server's.
type clock struct {
	machine func() time.Time
	ask     func(context.Context) (time.Duration, error) // nil: the machine's clock is used
	ahead   atomic.Int64                                 // nanoseconds that the server's clock is ahead
	said    sync.Once
}

// muchAhead is a difference that is worth a message.
const muchAhead = time.Minute

// set asks for the difference again. Without a response the last one stays.
func (c *clock) set(ctx context.Context, log *slog.Logger) {
	if c.ask == nil {
		return
	}
	ahead, err := c.ask(ctx)
	if err != nil {
		log.Debug("cannot read the server's clock; using this machine's", report.Err, err.Error())
		return
	}
	c.ahead.Store(int64(ahead))
	if ahead.Abs() > muchAhead {
		c.said.Do(func() {
			log.Info("this machine's clock differs from that of Elasticsearch, which is used for connectors and sync jobs",
				"machine", c.machine().UTC().Format(time.RFC3339), "elasticsearch", c.machine().Add(ahead).UTC().Format(time.RFC3339))
		})
	}
}

// now is the server's time.
func (s *Store) now() time.Time { return s.clock.machine().Add(time.Duration(s.clock.ahead.Load())) }
