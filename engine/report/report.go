// Package report counts what a run does and names what it could not do.
//
// It formats nothing: the terminal, the JSON result and the job record read the same numbers.
// Its invariant: everything that was not done is both counted and reported to the observer, so that no output can
// show an incomplete run as complete.
package report

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Counters are the live counts of a run, updated from several goroutines.
type Counters struct {
	Read, Created, Updated, Deleted, Kept   atomic.Int64
	Withheld, Rejected, Dropped, Duplicates atomic.Int64
	ContentErrors, Retried                  atomic.Int64
	Bytes                                   atomic.Int64 // of bulk requests
	Parts, PartsDone                        atomic.Int64
	Expected                                atomic.Int64 // estimated documents of the parts seen so far; 0 if unknown

	mu      sync.Mutex
	reading []*PartCount
}

// PartCount is the live count of one part that is being read.
type PartCount struct {
	Name     string
	Expected int64 // estimated documents; 0 if unknown
	Read     atomic.Int64
}

// Begin adds a part to those that are being read.
func (c *Counters) Begin(name string, expected int64) *PartCount {
	p := &PartCount{Name: name, Expected: expected}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = append(c.reading, p)
	return p
}

// End removes a part from those that are being read.
func (c *Counters) End(p *PartCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.reading, p); i >= 0 {
		c.reading = slices.Delete(c.reading, i, i+1)
	}
}

// Reading lists the parts that are being read, the first one first.
func (c *Counters) Reading() []*PartCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.reading)
}

// Snapshot is a copy of the counters at one moment.
type Snapshot struct {
	Read, Created, Updated, Deleted, Kept   int64
	Withheld, Rejected, Dropped, Duplicates int64
	ContentErrors, Retried, Bytes           int64
	Parts, PartsDone, Expected              int64
}

// Snapshot copies the counters.
func (c *Counters) Snapshot() Snapshot {
	return Snapshot{
		Read: c.Read.Load(), Created: c.Created.Load(), Updated: c.Updated.Load(),
		Deleted: c.Deleted.Load(), Kept: c.Kept.Load(), Withheld: c.Withheld.Load(),
		Rejected: c.Rejected.Load(), Dropped: c.Dropped.Load(), Duplicates: c.Duplicates.Load(),
		ContentErrors: c.ContentErrors.Load(), Retried: c.Retried.Load(), Bytes: c.Bytes.Load(),
		Parts: c.Parts.Load(), PartsDone: c.PartsDone.Load(), Expected: c.Expected.Load(),
	}
}

// Add adds another run's counts.
func (s *Snapshot) Add(o Snapshot) {
	s.Read += o.Read
	s.Created += o.Created
	s.Updated += o.Updated
	s.Deleted += o.Deleted
	s.Kept += o.Kept
	s.Withheld += o.Withheld
	s.Rejected += o.Rejected
	s.Dropped += o.Dropped
	s.Duplicates += o.Duplicates
	s.ContentErrors += o.ContentErrors
	s.Retried += o.Retried
	s.Bytes += o.Bytes
	s.Parts += o.Parts
	s.PartsDone += o.PartsDone
	s.Expected += o.Expected
}

// Change is one change with a known outcome: in a sync it was done, in a diff it would be done.
type Change struct {
	Kind   string // create, update, delete, withheld, keep, drop, duplicate or reject
	Reason string
	Index  string
	ID     string
	Title  string // the document's name for people, if the id means nothing to them; may be empty
	Part   string
	Scope  string  // table, folder or other scope, for summaries; "." for the root of a tree, "" if unknown
	First  string  // duplicate: the part that brought the id first
	Fields []Field // update, if requested: the differences
}

// Field is one field that differs; a missing side is nil.
type Field struct {
	Name     string
	Old, New json.RawMessage
}

// Failure is something in the source that could not be read, or a document that could not be
// written.
type Failure struct {
	Part  string
	Scope string // of a complete part: nothing in it is deleted; of a document: where it is; "" for the list of parts
	ID    string // "" for a complete part
	Err   error
}

// DuplicateError is the error of a document whose id another document has.
type DuplicateError struct{ First string } // the part of the document that was kept

func (e *DuplicateError) Error() string {
	return "has the same id as a document of " + e.First + ", which was kept"
}

// ErrContent is the error of a document whose content could not be read.
var ErrContent = errors.New("read the content")

// PartRead is a part of the source that was read to its end.
type PartRead struct {
	Scope string // as in [Change]
	Docs  int64  // documents read
}

// Reading is the phase in which the counters of documents grow.
const Reading = "reading the source"

// Observer is notified of events, from several goroutines. It must be fast: the pipe waits for it.
type Observer interface {
	Changed(Change)
	Failed(Failure)
	// Read receives each part that was read to its end.
	Read(PartRead)
	// Phase receives what the run does now, in a few words, and the time until then.
	Phase(name string, elapsed time.Duration)
}

// Unobserved is an observer that ignores everything.
type Unobserved struct{}

var _ Observer = Unobserved{}

// Changed implements [Observer].
func (Unobserved) Changed(Change) {}

// Read implements [Observer].
func (Unobserved) Read(PartRead) {}

// Failed implements [Observer].
func (Unobserved) Failed(Failure) {}

// Phase implements [Observer].
func (Unobserved) Phase(string, time.Duration) {}

// Keys of log records, so that every package uses the same.
const (
	Connector = "connector"
	Job       = "job"
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
