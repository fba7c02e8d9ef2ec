// Package plan turns documents and the id table into changes, and owns the reasons for them.
//
// It reaches neither source nor network and is deterministic for each document: its table test is
// the specification of a sync. Its invariant: every document that is read becomes exactly one change.
package plan

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Kind says what is, or would be, done to one id.
type Kind uint8

// The kinds.
const (
	Create    Kind = iota // index a document that the destination does not hold
	Update                // index a document over its older copy
	Delete                // remove a document that is gone from the source
	Withheld              // a delete that is not done, see the reason
	Keep                  // nothing: the copy is up to date
	Drop                  // nothing: a rule keeps the document out
	Duplicate             // nothing: another document has brought the id in this run
	Reject                // nothing: the document cannot be written
)

var kinds = [...]string{"create", "update", "delete", "withheld", "keep", "drop", "duplicate", "reject"}

func (k Kind) String() string { return kinds[k] }

// Reason says why.
type Reason string

// The reasons. They are part of the output and do not change.
const (
	NotInIndex        Reason = "not in the index"
	VersionDiffers    Reason = "version differs"
	ContentDiffers    Reason = "content differs"
	VersionUnknown    Reason = "version unknown"
	Forced            Reason = "compared as always"
	Unchanged         Reason = "unchanged"
	ContentUnreadable Reason = "content could not be read"
	ExcludedByRule    Reason = "excluded by rule"
	SameID            Reason = "another document has this id"
	EmptyID           Reason = "empty id"
	GoneFromSource    Reason = "gone from source"
	ScopeFailed       Reason = "its part of the source was not read to the end"
	ScopeVanished     Reason = "its part of the source has vanished"
	ScopeUnknown      Reason = "it does not say which part of the source it is of"
	VanishedTwice     Reason = "its part of the source has vanished for the second time"
	GuardRefused      Reason = "more deletes than the guard allows"
	EmptySource       Reason = "the source is empty"
	ForeignIndex      Reason = "the index belongs to another owner"
	PointInTimeLost   Reason = "the point in time was lost"
	ListIncomplete    Reason = "the source was not listed to the end"
	RefreshRefused    Reason = "the index could not be refreshed"
	ChangedSince      Reason = "somebody wrote it since the scan"
	DroppedByPipeline Reason = "dropped by the ingest pipeline"
	NewerInIndex      Reason = "the index has a newer copy"
)

// At guards a change: it is done only if the document still is as it was when it was looked at.
type At struct{ SeqNo, PrimaryTerm int64 }

// Absent guards a change that is done only if there is no such document.
var Absent = At{SeqNo: -1}

// Change is what is, or would be, done to one id.
type Change struct {
	Kind    Kind
	Reason  Reason
	Part    string
	ID      string
	Title   string // what people know the document by, where the id says nothing; may be empty
	Source  []byte // the document's _source, to be copied before Apply returns; nil for other kinds than Create and Update, and while only planning
	First   string // Duplicate: the part that brought the id first
	At      *At    // nil: whatever the index holds; never nil for Delete
	Routing string // Delete: how the document is routed, "" by its id
	Grant   int64  // bytes of budget that the change holds; whoever ends it gives them back
}

// Sink is where changes go: a writer, a printer.
type Sink interface {
	// Apply takes the change. It blocks for back-pressure, may be called from several goroutines and
	// keeps nothing of the change's memory. An error ends the run.
	Apply(context.Context, Change) error
	// Flush returns when everything applied before is done, or cannot be done.
	Flush(context.Context) error
}

// Compare says by what a document is judged to be unchanged.
type Compare uint8

// The ways to compare.
const (
	ByContent Compare = iota // by what would be written
	ByVersion                // by its timestamp
	Always                   // never unchanged
)

// MaxIDBytes is the longest _id that Elasticsearch takes, in bytes of UTF-8.
const MaxIDBytes = 512

// Options are what a planner decides by.
type Options struct {
	Compare  Compare
	Trailer  document.Trailer
	Pipeline bool              // documents come back from the index rewritten, so the canonical form decides
	Ignore   func(string) bool // top-level fields that a pipeline owns; nil for none
	Vector   func(string) bool // top-level fields that come back as vectors, which the version leaves out; nil for none
	// VersionFields are text fields that are part of the version beside the timestamp; nil for none.
	VersionFields []string
}
