// Package plan turns documents and the id table into changes, and owns the reasons for them.
//
// It uses neither source nor network and is deterministic for each document: its table test is the specification
// of a sync. Its invariant: every document read results in exactly one change.
package plan

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Kind is what is, or would be, done to one id.
type Kind uint8

// Kinds of changes.
const (
	Create    Kind = iota // index a document that is new to the destination
	Update                // index a document over its older copy
	Delete                // remove a document that is no longer in the source
	Withheld              // a delete, or a change that a saved plan lacks, that is held back; Reason says why
	Keep                  // nothing: the copy is up to date
	Drop                  // nothing: a rule excludes the document
	Duplicate             // nothing: another document of this run has the id
	Reject                // nothing: the document cannot be written
)

var kinds = [...]string{"create", "update", "delete", "withheld", "keep", "drop", "duplicate", "reject"}

func (k Kind) String() string { return kinds[k] }

// Reason is why a change is, or is not, done.
type Reason string

// Reasons. They are part of the output and do not change.
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
	NotInPlan         Reason = "not in the saved plan"
	MovedSincePlan    Reason = "changed since the plan was saved"
)

// At guards a change: it is done only if the document has not changed since it was read.
type At struct{ SeqNo, PrimaryTerm int64 }

// Absent guards a change that is done only if the document does not exist.
var Absent = At{SeqNo: -1}

// Change is what is, or would be, done to one id.
type Change struct {
	Kind    Kind
	Reason  Reason
	Part    string
	Scope   string // table, folder or other scope, for summaries; "." for the root of a tree, "" if unknown
	ID      string
	Title   string // the document's name for people, if the id means nothing to them; may be empty
	Source  []byte // the document's _source, to be copied before Apply returns; nil for kinds other than Create and Update, and before Encode
	First   string // Duplicate: the part that had the id first
	At      *At    // nil: do it whatever the index holds; never nil for Delete
	Routing string // Delete: the document's routing, "" if it is routed by its id
	Grant   int64  // bytes of budget held by the change; released when it ends
}

// Sink receives changes: a writer, a printer.
type Sink interface {
	// Apply accepts the change. It blocks for back-pressure, is safe for concurrent use and keeps no reference to
	// the change's memory. An error ends the run.
	Apply(context.Context, Change) error
	// Flush returns when every earlier change is done, or has failed.
	Flush(context.Context) error
}

// Compare is how unchanged documents are detected.
type Compare uint8

// Ways to detect unchanged documents.
const (
	ByContent Compare = iota // by the content to write
	ByVersion                // by its timestamp
	Always                   // never unchanged
)

// MaxIDBytes is the longest _id that Elasticsearch accepts, in bytes of UTF-8.
const MaxIDBytes = 512

// Options are the settings of a planner.
type Options struct {
	Compare  Compare
	Trailer  document.Trailer
	Pipeline bool              // the index returns documents rewritten, so the canonical form decides
	Ignore   func(string) bool // top-level fields that belong to the pipeline; nil for none
	Vector   func(string) bool // top-level fields that are stored as vectors, which the version leaves out; nil for none
	// VersionFields are text fields that belong to the version in addition to the timestamp; nil for none.
	VersionFields []string
}
