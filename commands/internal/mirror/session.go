// Package mirror is shared by sync, diff and the jobs of a poll: it chooses connectors, runs them one after
// the other, watches the runs and summarizes their results.
//
// The engine decides what happens to documents, and engine/protocol which jobs are due. The commands choose
// the exit code, see [Options].
package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/ping"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// session is one run of a command, over any number of connectors.
type session struct {
	*console
	app      *setup.App
	started  time.Time
	cut      context.Context //nolint:containedctx // ends when requests under way are to be cut
	until    context.Context //nolint:containedctx // ends with --max-duration; nil for no limit
	cfg      *config.Config
	dest     *destination.Destination
	records  *protocol.Store // of connectors and sync jobs; nil until first used
	state    state.Dir
	holds    func() // removes the note that this process has the embedded folder open; nil if there is none
	kept     kept
	plans    plans
	services extraction
	outcomes []*ran
	failure  error // the error that ended or prevented the command

	ping        *ping.Ping // nil if the run is not reported
	pingRefused bool       // its address is wrong
}

// kept are the files of all connectors that are named on the command line; nil for those that are not.
type kept struct {
	dead    *docfile.DeadLetter
	deleted *docfile.Deleted
}

// newSession creates a session; stop ends the run when the reader of stdout is gone.
func newSession(cut context.Context, a *setup.App, o *Options, stop context.CancelCauseFunc) *session {
	c := newConsole(a.Streams, o, stop)
	c.printSteps(a.Getenv)
	return &session{console: c, app: a, started: a.Now(), cut: cut}
}

// ran is the result of one connector, with the watcher of its run.
type ran struct {
	output.Outcome
	index string    // as configured: an alias does not change with the index that it stands for
	watch *watcher  // nil if the run did not begin
	ended time.Time // when the result was final

	id       string       // of the record, in a poll
	canceled bool         // the sync job
	guard    engine.Guard // of its deletes
}

// start waits for the jitter, reports the start of the run, starts the time limit and loads the configuration. stop
// is called once.
func (s *session) start(ctx context.Context) (stop func(), err error) {
	stop = func() {}
	if err := s.delay(ctx); err != nil {
		return stop, err
	}
	s.pingStart(ctx, nil)
	if s.o.MaxDuration > 0 {
		s.until, stop = s.app.Limit(context.WithoutCancel(ctx), s.o.MaxDuration)
	}
	if s.cfg, err = s.app.Config(ctx, s.o.ConfigFile); err != nil {
		return stop, err
	}
	s.state = state.Dir(config.StateDir(s.cfg, s.app.Getenv))
	s.useLevel(s.cfg.Service.LogLevel)
	for _, w := range s.cfg.Warnings {
		s.messages.Warn(w)
	}
	s.pingStart(ctx, s.cfg)
	return stop, nil
}

// open opens the destination, read-only if readOnly is set. A folder that another process has open is waited for.
func (s *session) open(ctx context.Context, readOnly bool) error {
	_, err := s.awaitLock(ctx, func() (err error) { //nolint:contextcheck // a store is opened without one
		s.dest, err = destination.Open(s.cfg, readOnly)
		if destination.InUse(err) {
			err = fmt.Errorf("%w%s", err, s.state.HeldBy(s.cfg.Elasticsearch.Host, ""))
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.dest.Folder() != "" && !readOnly {
		s.holds = s.state.NoteHolder(s.dest.LockName(), "", s.app.Now())
	}
	if text := s.dest.OpenToOthers(); text != "" {
		s.messages.Warn(text)
	}
	return nil
}

// closeDestination closes the destination that open opened.
func (s *session) closeDestination() error {
	if s.holds != nil {
		s.holds()
	}
	return s.dest.Close()
}

// late is the error of a run whose time limit is over before it begins, or nil.
func (s *session) late() error {
	if s.until == nil || s.until.Err() == nil {
		return nil
	}
	return fmt.Errorf("%w: not started", engine.ErrTimeIsUp)
}

// begin is the result of a connector before its run.
func (s *session) begin(c *config.Connector) *ran {
	o := &ran{Outcome: output.Outcome{Name: c.Name, Type: c.ServiceType, Destination: s.dest.Name()}}
	o.Result.Index, o.index = c.IndexName, c.IndexName
	return o
}

// done is called once when the result of a connector is final.
func (s *session) done(ctx context.Context, o *ran) {
	o.Exit, o.ended = s.o.Code(nil, &o.Outcome), s.app.Now()
	if o.watch != nil {
		o.Unread = o.watch.unread
		for _, f := range o.watch.failures {
			o.Failures = append(o.Failures, (&placedError{f}).Error())
		}
	}
	o.Remarks = o.remarks(s.o)
	s.outcomes = append(s.outcomes, o)
	s.reportResult(ctx, o)
	s.settle(o, o.Job != "")
}

// finish reports the end of the command and returns its exit code.
func (s *session) finish(ctx context.Context, err error) int {
	s.failure = err
	if err != nil && !s.o.silent(s.o.Code(err)) {
		s.messages.Conclude(ctx, "", err)
	}
	s.settlePoll(err)
	all := &output.Total{Err: err}
	for _, o := range s.outcomes {
		all.Outcomes = append(all.Outcomes, &o.Outcome)
	}
	all.Exit = s.o.Code(err, all.Outcomes...)
	all.Took = s.app.Now().Sub(s.started)
	s.printer.End(all)
	code := all.Exit
	if failure := s.out.Failure(); failure != nil && (s.o.Dry || !errors.Is(failure, term.ErrOutputClosed)) {
		failure = fmt.Errorf("write the output: %w", failure)
		s.messages.Conclude(ctx, "", failure)
		code = s.o.Code(errors.Join(err, failure), all.Outcomes...)
	}
	return code
}

// limited is ctx that also ends with the time limit.
func (s *session) limited(ctx context.Context) (context.Context, func()) {
	limited, stop := context.WithCancelCause(ctx)
	over := func() bool { return false }
	if s.until != nil {
		over = context.AfterFunc(s.until, func() { stop(engine.ErrTimeIsUp) })
	}
	return limited, func() {
		over()
		stop(nil)
	}
}

// openRecords connects to the destination and opens its records of connectors and sync jobs.
func (s *session) openRecords(ctx context.Context) error {
	if s.records != nil {
		return nil
	}
	ctx, stop := s.limited(ctx)
	defer stop()
	var err error
	s.records, err = s.dest.Records(ctx, s.app, s.log, destination.PatienceOf(&s.cfg.Elasticsearch))
	return err
}
