package mirror

import (
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// Options are the options of a sync, a diff or a poll.
type Options struct {
	setup.Flags
	Names       []string // of connectors
	All         bool     // those of the configuration
	Kind        protocol.JobType
	Parts       []string // patterns
	Compare     engine.Compare
	Dry         bool
	Output      output.Options // as set by flags
	Permits     Permits
	Files       Files
	MaxDuration time.Duration // 0 for none
	LockWait    time.Duration // how long to wait for another run
	Jitter      time.Duration // the longest random delay before the start
	Pings       bool          // the run is reported
	PingURL     config.Secret // as set by a flag
	Metrics     string        // the file for the results of the run; "" for none
	NoDelete    bool          // create and update only
	WaitRefresh bool          // end only when written documents are searchable
	// code chooses the exit code from an error of the command and the results of its connectors.
	Code func(error, ...*output.Outcome) int
	// Quieted are the exit codes that --quiet does not report.
	Quieted []int
	// Daily reports an unchanged failure of a connector once a day, with --quiet.
	Daily bool
}

// silent reports whether an exit code is not reported.
func (o *Options) silent(code int) bool { return o.Quiet && slices.Contains(o.Quieted, code) }

// Permits are actions that a run takes only on request.
type Permits struct {
	Guard          *engine.Guard // replaces the guard of the configuration; nil keeps that one
	Confirmed      int64         // number of confirmed deletes; negative if not given
	AllowEmpty     bool
	Adopt          bool
	CreatePipeline bool
	Rebuild        bool // fill a new index and swap it with the old one
}

// Files are the files named on the command line, "" for none.
type Files struct {
	DeadLetter string
	DeletedTo  string
	Replay     string // a dead-letter file
	Save       string // the plan that a diff saves
	Plan       string // the plan that a sync makes, or that a diff checks again
}
