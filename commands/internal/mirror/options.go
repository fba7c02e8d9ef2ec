package mirror

import (
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
)

// Options are what a sync, a diff or a poll was asked to do.
type Options struct {
	setup.Flags
	Names       []string // of connectors
	All         bool     // those of the configuration
	Kind        protocol.JobType
	Parts       []string // patterns
	Compare     engine.Compare
	Dry         bool
	Output      output.Options // as far as flags say it
	Permits     Permits
	Files       Files
	MaxDuration time.Duration // 0 for none
	// code judges an error of the whole command, and what came of connectors.
	Code func(error, ...*output.Outcome) int
}

// Permits are what a run does only when it is asked to.
type Permits struct {
	Guard          *engine.Guard // in place of that of the configuration; nil for that one
	Confirmed      int64         // how many deletes; negative when not given
	AllowEmpty     bool
	Adopt          bool
	CreatePipeline bool
}

// Files are those that the command line names, "" for none.
type Files struct {
	DeadLetter string
	DeletedTo  string
	Replay     string // a dead-letter file
}
