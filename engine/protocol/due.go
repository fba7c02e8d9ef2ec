package protocol

import (
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/cron"
)

// maxLookBack is how far back a missed instant still counts. It is longer than a month, so that a
// monthly schedule is caught up with.
const maxLookBack = 35 * 24 * time.Hour

// ahead is how far an instant of a record may lie after now. One that lies further was written by a clock
// that was wrong, and says nothing: nothing would be due until it comes.
const ahead = time.Hour

// fromTheFuture reports whether an instant of a record can be no instant that has been.
func fromTheFuture(t, now time.Time) bool { return t.Sub(now) > ahead }

// Due is the latest instant of a schedule that is not over yet: later than since, the last one for which
// a job was made, and not later than now. However many instants were slept through, one job makes up for
// all of them. ok is false when none is due.
func Due(s Schedule, since, now time.Time) (instant time.Time, ok bool, err error) {
	if !s.Enabled {
		return time.Time{}, false, nil
	}
	schedule, err := cron.Parse(s.Interval)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("%w: schedule: %w", ErrConfig, err)
	}
	if earliest := now.Add(-maxLookBack); since.Before(earliest) {
		since = earliest
	}
	instant, ok = schedule.Last(since, now)
	return instant, ok, nil
}
