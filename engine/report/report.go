// Package report counts what a run does and names what it could not do.
//
// It formats nothing: the terminal, the JSON result and later the job record read the same numbers.
package report

import (
	"sync/atomic"
	"time"
)

// Counters are the live counts of a run, updated from several goroutines.
type Counters struct {
	Read, Created, Updated, Deleted, Kept      atomic.Int64
	Withheld, Rejected, Dropped, Duplicates    atomic.Int64
	Excluded, ContentErrors, ContentSkipped    atomic.Int64
	Conflicts, Retried, Sent, PartsDone, Parts atomic.Int64 // Sent is bytes of bulk requests
}

// Snapshot is a copy of the counters at one moment.
type Snapshot struct {
	Read, Created, Updated, Deleted, Kept   int64
	Withheld, Rejected, Dropped, Duplicates int64
	Excluded, ContentErrors, ContentSkipped int64
	Conflicts, Retried, Bytes               int64
	PartsDone, Parts                        int64
	Elapsed                                 time.Duration
}

// Snapshot copies the counters.
func (c *Counters) Snapshot() Snapshot {
	return Snapshot{
		Read: c.Read.Load(), Created: c.Created.Load(), Updated: c.Updated.Load(),
		Deleted: c.Deleted.Load(), Kept: c.Kept.Load(), Withheld: c.Withheld.Load(),
		Rejected: c.Rejected.Load(), Dropped: c.Dropped.Load(), Duplicates: c.Duplicates.Load(),
		Excluded: c.Excluded.Load(), ContentErrors: c.ContentErrors.Load(), ContentSkipped: c.ContentSkipped.Load(),
		Conflicts: c.Conflicts.Load(), Retried: c.Retried.Load(), Bytes: c.Sent.Load(),
		PartsDone: c.PartsDone.Load(), Parts: c.Parts.Load(),
	}
}

// Keys of log records, so that every package uses the same.
const (
	Connector = "connector"
	Source    = "source"
	Part      = "part"
	ID        = "id"
	Index     = "index"
	Took      = "took"
	Docs      = "docs"
	Bytes     = "bytes"
	Attempt   = "attempt"
	Err       = "err"
)
