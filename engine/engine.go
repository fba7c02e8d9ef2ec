// Package engine runs one sync, or one diff: it is the only place where source, plan and destination meet.
// docs/architecture.md explains the order of the steps.
//
// It prints nothing and knows no flags. Its invariants are the promises in the README, above all: a document is
// deleted only if this run verified that it is no longer in the source.
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
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/shape"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Job describes one run. It has a field for each setting of a connector and each flag of a command that affects
// documents; a run reads it and never changes it.
type Job struct {
	Connector string // its name, for messages
	Owner     string // the owner in the index's marker: service type and name
	Type      source.Type
	Values    field.Values
	IDColumns map[string][]string
	Profile   string // "" means head
	Encoding  string // "" means exact
	Advanced  any    // rules in the source's own terms; nil for none
	Index     string // index or alias
	Hidden    bool   // the index may be hidden
	Pipeline  string // ingest pipeline; "" for none
	// CreatePipeline creates the pipeline if it does not exist; an existing one stays unchanged.
	CreatePipeline bool
	Create         elastic.Creation // how to create a missing index; an existing one stays unchanged
	// DefaultAnalysis means that no one asked for the analysis of Create: an index without it causes no warning.
	DefaultAnalysis bool
	Rules           []rules.Rule
	// Extraction is how content becomes text; "" means [extract.Auto].
	Extraction extract.Way
	Compare    Compare
	Wants      func(scope string) bool // nil wants every scope; in other scopes nothing is read or deleted
	Guard      Guard

	Kind  Kind
	Flags *document.Flags // settings that the pipeline receives; without ExtractBinaryContent, content is not extracted unless Extraction says how. nil means all of them

	// Incremental reads only what changed since the last complete run, if the source can report it.
	Incremental bool

	NoDelete     bool // delete nothing, and hold nothing back
	WaitRefresh  bool // documents that cannot be made searchable before the run ends are an error
	AllowEmpty   bool // an empty source may empty the index
	Adopt        bool // take over an index that has documents and no owner, or another one
	AdoptUnowned bool // take over an index that has documents and no owner
	DryRun       bool // decide everything, write nothing
	Fields       bool // with DryRun: report the fields in which an update differs
	// Plan bounds the run: it makes at most the changes of the plan, and a dry run reports only these. nil for no bound.
	Plan *planfile.Plan
}

// Kind is the goal of a run.
type Kind string

// The kinds of runs.
const (
	Mirror        Kind = ""               // the index holds what the source holds
	Deletion      Kind = "deletion"       // only remove documents that are no longer in the source
	AccessControl Kind = "access_control" // the index holds the identities that the source knows
)

// Compare is how unchanged documents are detected.
type Compare string

// Ways to detect unchanged documents.
const (
	Auto    Compare = "auto" // by version if the source has one for each document, otherwise by content
	Version Compare = "version"
	Content Compare = "content"
	Always  Compare = "always" // treat no document as unchanged
)

// Guard limits deletes. All are held back if there are more than Deletes of them and they are more than Percent of
// the documents of the index.
type Guard struct {
	Deletes int64
	Percent float64
	// Confirmed, if not negative, replaces both limits: up to that many deletes are done, including those in
	// vanished scopes.
	Confirmed int64
}

// allows reports whether that many deletes are done, of so many documents.
func (g Guard) allows(deletes, of int64) bool {
	if g.Confirmed >= 0 {
		return deletes <= g.Confirmed
	}
	return deletes <= g.Deletes || float64(deletes) <= g.Percent/100*float64(of)
}

// Settings are how a run uses the machine and how long it waits: one field for each key of the configuration.
type Settings struct {
	Readers, Writers int
	Operations       int    // of a bulk request
	RequestBytes     int    // of a bulk request
	Budget           int64  // bytes in flight
	ContentLimit     int64  // bytes of a document's content
	IDsMemory        int64  // bytes of ids before they go to a file
	IDsDir           string // the folder of that file
	StallTimeout     time.Duration
	ShutdownGrace    time.Duration
	Breaker          *bulk.Breaker // nil for none
	Await            retry.Policy  // for the first response of the destination
	Retry            retry.Policy  // for a request that was rejected for now
}

// Deps is what the program provides to a run: one field for each thing that only the program has.
type Deps struct {
	Settings
	Client     *elastic.Client
	Service    *extract.Service // nil for none
	Log        *slog.Logger
	Observer   report.Observer
	Counters   *report.Counters
	DeadLetter *docfile.DeadLetter
	Deleted    *docfile.Deleted // saves complete documents before they are deleted; nil for no such file
	Save       *planfile.Writer // saves the changes of a dry run; nil for no such file
	// Lock excludes other runs from a concrete index; unlock is called once. cluster identifies the cluster,
	// whatever its address; it is "" if the cluster does not report an id. Lock may wait for another run, until
	// ctx ends; waited reports that it did, so that the index may have changed in the meantime.
	Lock func(ctx context.Context, cluster, index string) (unlock func(), waited bool, err error)
	// Vanished remembers from run to run which scopes were missing.
	Vanished Vanished
	// Turns remembers when each scope was last read; it is used only together with Until.
	Turns Turns
	// Until ends the reading when it ends: scopes that were read completely by then are handled as usual, the
	// others are left to the next run. nil is no limit.
	Until context.Context //nolint:containedctx // a per-run value that dies with the run
	// Fence is called before each request that writes and reports whether this run may still write; nil means
	// always. An error ends the run.
	Fence func(context.Context) error
	// Cut, when it ends, aborts requests in progress: the second signal.
	Cut context.Context //nolint:containedctx // a per-run value that dies with the run
	// Own lists absolute paths of files and folders that the program writes; no source reads them as content.
	Own []string
	Now func() time.Time
}

// Result is the outcome of a run. It is meaningful even with an error. Each field is reported separately.
type Result struct {
	Index      string // concrete
	Counts     report.Snapshot
	Failed     int64                 // parts that could not be read completely
	Scopes     int64                 // wanted ones: tables and so on
	ScopesRead int64                 // that were read completely
	ScopeNoun  string                // what people call one, such as "table"
	Withheld   map[plan.Reason]int64 // deletes that were held back
	Eligible   int64                 // deletes that the guard judged
	Judged     int64                 // documents that the index held of what was read completely: the guard's percentage refers to them
	Held       int64                 // documents in the index at the scan
	Spared     int64                 // with NoDelete: documents in the index that this run did not see
	SparedGone bool                  // all of them are known to be no longer in the source, or excluded by a rule
	Passed     int64                 // Replay: records of other connectors or indices
	Late       bool                  // the time limit left work to the next run
	TooLong    []string              // scopes that the same time limit will never read completely
	Extraction extract.Way           // how content became text; "" if no document with content had to be written
	Replaced   string                // Rebuild: the index in whose place the new one is; "" if there is none
	// Drift lists fields whose mapping in the index differs from that of a new index. NotIndexed lists fields with
	// values that are only in _source; it is known after a run that wrote.
	Drift      []shape.Drift
	Creates    *NewIndex // dry run: the index that a sync would create; nil if it exists
	NotIndexed []shape.Ignored
	// Incremental reports that only changes were read. Judged is then the number of all documents in the index.
	Incremental bool
	// Cursor is the position in the changes of the source that the index stored in this run; "" for none.
	Cursor source.Cursor
}

// NewIndex describes an index that does not exist yet.
type NewIndex struct {
	Owner  string
	Fields int64 // with a mapping from the beginning
	Open   bool  // the source does not describe its fields: documents add others
}

// Incomplete reports that something was not read, or could not be written.
func (r *Result) Incomplete() bool {
	return r.Failed > 0 || r.Counts.Rejected > 0 || r.Counts.Duplicates > 0 || r.Counts.ContentErrors > 0
}

// WithheldDeletes is how many deletes need a decision by the user: those held back for a reason other than an
// unreadable part of the source.
func (r *Result) WithheldDeletes() int64 {
	var n int64
	for reason, count := range r.Withheld {
		if reason != plan.ScopeFailed && reason != plan.ListIncomplete {
			n += count
		}
	}
	return n
}

// undeleted reports that the index still holds documents that another run may have to delete.
func (r *Result) undeleted() bool { return len(r.Withheld) > 0 || r.Spared > 0 }

// Differences reports that a sync would write something, or did.
func (r *Result) Differences() bool {
	return r.Counts.Created+r.Counts.Updated+r.Counts.Deleted > 0
}

// Kinds of errors of a run, in addition to those of [source] and [elastic].
var (
	ErrConfig   = errors.New("configuration")
	ErrReplaced = errors.New("the index was replaced during the run")
	ErrForeign  = errors.New("belongs to another connector")
)

// guarded runs the work of each goroutine of a run.
func guarded(f func() error) error { return crash.Guarded(f) }

// Run does the job. When ctx ends, reading stops, documents already read are written for at most the shutdown
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
