package protocol

import (
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/cron"
)

// maxLookBack is how far back a missed scheduled time still counts. It is longer than a month, so that a
// missed monthly schedule is made up for.
const maxLookBack = 35 * 24 * time.Hour

// ahead is how far in the future a time in a record may be. A time beyond that was written by a wrong
// clock and is ignored: otherwise nothing would be due until then.
const ahead = time.Hour

// fromTheFuture reports whether a time in a record cannot be in the past.
func fromTheFuture(t, now time.Time) bool { return t.Sub(now) > ahead }

// Due returns the latest scheduled time that has passed: later than since, the last one for which a job was
// created, and not later than now. However many scheduled times were missed, one job makes up for all of
// them. ok is false if none is due.
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
