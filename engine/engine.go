// Package engine runs one sync, or the diff of one: it is the only place where source, plan and
// destination meet. See docs/architecture.md for the order of things and why it is so.
//
// It prints nothing and knows no flags. Its invariants are the promises in the README: above all,
// nothing is deleted whose absence from the source was not seen with one's own eyes.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Job is what one run is to do. It has a field for each setting of a connector and each flag of a command that decides
// about documents; a run reads it and never changes it.
type Job struct {
	Connector string // its name, for messages
	Owner     string // what the index is marked with: service type and name
	Type      source.Type
	Values    field.Values
	IDColumns map[string][]string
	Profile   string // "" is head
	Encoding  string // "" is exact
	Advanced  any    // rules in the source's own terms; nil for none
	Index     string // index or alias
	Hidden    bool   // the index may be a hidden one
	Pipeline  string // ingest pipeline, "" for none
	// CreatePipeline makes one that does not exist; one that exists stays unchanged.
	CreatePipeline bool
	Create         elastic.Creation // what an absent index is made with; one that exists is left as it is
	Rules          []rules.Rule
	// Extraction is how content becomes text; "" is [extract.Auto].
	Extraction extract.Way
	Compare    Compare
	Wants      func(scope string) bool // nil wants every scope; otherwise only those are read, and deleted in
	Guard      Guard

	Kind  Kind
	Flags *document.Flags // what the pipeline is told to do; without ExtractBinaryContent no way is chosen for content by itself. nil is everything

	// Incremental reads only what changed since the index was whole, where the source can tell.
	Incremental bool

	AllowEmpty   bool // an empty source may empty the index
	Adopt        bool // take over an index that has documents and no owner, or another one
	AdoptUnowned bool // take over an index that has documents and no owner
	DryRun       bool // decide everything, write nothing
	Fields       bool // with DryRun: tell which fields of an update differ
}

// Kind is what a run is to bring about.
type Kind string

// The kinds of runs.
const (
	Mirror        Kind = ""               // the index holds what the source holds
	Deletion      Kind = "deletion"       // only what is gone from the source is removed
	AccessControl Kind = "access_control" // the index holds the identities that the source knows
)

// Compare says by what documents are judged to be unchanged.
type Compare string

// The ways to compare.
const (
	Auto    Compare = "auto" // by version where the source has one for each document, else by content
	Version Compare = "version"
	Content Compare = "content"
	Always  Compare = "always" // nothing is unchanged
)

// Guard is when deletes are withheld: more than Deletes of them and more than Percent of the
// documents of the index.
type Guard struct {
	Deletes int64
	Percent float64
	// Confirmed, if it is not negative, stands in place of both: up to that many deletes are done,
	// those in vanished scopes among them.
	Confirmed int64
}

// Settings are how a run uses the machine and how patient it is: one field for each key of the configuration.
type Settings struct {
	Readers, Writers int
	Operations       int    // of a bulk request
	RequestBytes     int    // of a bulk request
	Budget           int64  // bytes on their way at the same time
	ContentLimit     int64  // bytes of a document's content
	IDsMemory        int64  // bytes of ids before they go to a file
	IDsDir           string // where that file is made
	StallTimeout     time.Duration
	ShutdownGrace    time.Duration
	Breaker          *bulk.Breaker // nil for none
	Await            retry.Policy  // for the destination to answer at the start
	Retry            retry.Policy  // for a request that was refused
}

// Deps is what the program provides to a run, one field for each thing that only the program can have.
type Deps struct {
	Settings
	Client     *elastic.Client
	Service    *extract.Service // nil for none
	Log        *slog.Logger
	Observer   report.Observer
	Counters   *report.Counters
	DeadLetter *docfile.DeadLetter
	Deleted    *docfile.Deleted // gets whole documents before they are deleted; nil for no such file
	// Lock keeps other runs away from a concrete index; unlock is called once. cluster tells its cluster from
	// others, by whatever address it is reached; "" where it does not say.
	Lock func(cluster, index string) (unlock func(), err error)
	// Vanished remembers from run to run which scopes were absent.
	Vanished Vanished
	// Turns remembers when each scope was read; it is asked only where Until is given.
	Turns Turns
	// Until, when it ends, ends the reading: what was read to its end by then is dealt with as always,
	// the rest is left to the next run. nil is no limit.
	Until context.Context //nolint:containedctx // a per-run value that dies with the run
	// Fence is asked before each request that writes whether this run may still write; nil is always. Its
	// error ends the run.
	Fence func(context.Context) error
	// Cut, when it ends, cuts requests that are under way: the second signal.
	Cut context.Context //nolint:containedctx // a per-run value that dies with the run
	// Own are absolute paths of files and folders that the program writes; no source takes them for content.
	Own []string
	Now func() time.Time
}

// Result is what a run came to. It is meaningful beside an error, too. Every field of it is reported by itself.
type Result struct {
	Index      string // concrete
	Counts     report.Snapshot
	Failed     int64                 // parts that could not be read to their end
	Withheld   map[plan.Reason]int64 // deletes that were not done
	Eligible   int64                 // deletes that the guard judged
	Judged     int64                 // documents that the index held of what was read to its end: what the guard's share is of
	Held       int64                 // documents that the index held at the scan
	Passed     int64                 // Replay: records of something else
	Late       bool                  // the time limit left something to the next run
	Extraction extract.Way           // how content became text; "" where no document had any to be written
	// Drift are fields that the index maps otherwise than a new index would, and NotIndexed those of which
	// it holds values that are only in _source; that is known after a run that wrote.
	Drift      []shape.Drift
	NotIndexed []shape.Ignored
	// Incremental reports that only what changed was read. Then Judged is what the index held in all.
	Incremental bool
	// Cursor is the place in the changes of the source that the index has kept in this run; "" for none.
	Cursor source.Cursor
}

// Incomplete reports that something was not read, or could not be written.
func (r *Result) Incomplete() bool {
	return r.Failed > 0 || r.Counts.Rejected > 0 || r.Counts.Duplicates > 0 || r.Counts.ContentErrors > 0
}

// WithheldDeletes is how many deletes somebody has to decide about: those that were withheld for
// another reason than that their part of the source could not be read.
func (r *Result) WithheldDeletes() int64 {
	var n int64
	for reason, count := range r.Withheld {
		if reason != plan.ScopeFailed && reason != plan.ListIncomplete {
			n += count
		}
	}
	return n
}

// Differences reports that a sync would write or wrote something.
func (r *Result) Differences() bool {
	return r.Counts.Created+r.Counts.Updated+r.Counts.Deleted > 0
}

// The kinds of errors of a run beside those of [source] and [elastic].
var (
	ErrConfig   = errors.New("configuration")
	ErrReplaced = errors.New("the index was replaced while it was written")
	ErrForeign  = errors.New("belongs to another connector")
)

// guarded is how every goroutine of a run does its work.
func guarded(f func() error) error { return crash.Guarded(f) }

// Run does the job. When ctx ends, reading stops, what was read is written for at most the shutdown
// grace, nothing is deleted, and the cause of ctx is the error.
func Run(ctx context.Context, job Job, deps Deps) (Result, error) {
	set, err := rules.New(job.Rules)
	if err != nil {
		return Result{}, fmt.Errorf("%w: rules: %w", ErrConfig, err)
	}
	if job.Kind == AccessControl {
		job.Type = typeOfIdentities(job.Type)
	}
	t := newTask(job, deps, set)
	err = guarded(func() error { return t.run(ctx) })
	return t.result(), err
}
