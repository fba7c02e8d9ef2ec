// Package mirror is what sync, diff and each job of a poll share: it chooses connectors, runs one after the other, watches
// the runs, and sums up what came of them.
//
// What happens to documents is decided by the engine, and which jobs are due by engine/protocol. The exit code is made
// above, see [Options].
package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// Sync is sync and diff: it runs the chosen connectors one after the other, says what came of them, and returns
// the exit code.
func Sync(ctx, cut context.Context, a *setup.App, o *Options) int {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := newSession(a, o, stop)
	defer s.tellSignal(ctx, cut)()
	err := s.run(ctx, cut)
	return s.finish(ctx, err)
}

// tellSignal says, when a signal ends ctx, what happens now and what a second one does.
func (s *session) tellSignal(ctx, cut context.Context) (stop func()) {
	over := context.AfterFunc(ctx, func() {
		e, signaled := errors.AsType[*term.SignalError](context.Cause(ctx))
		if signaled && cut.Err() == nil && !s.o.Quiet {
			m := &logs.Messages{To: s.stderr} // that of the session is made anew when the configuration is read
			if s.o.Format != logs.Text {
				m.Log = logs.New(s.stderr, s.o.Format, slog.LevelWarn)
			}
			m.Note(e.Name() + ": " + s.endsHow() + "; a second signal ends the program at once")
		}
	})
	return func() { over() }
}

// endsHow says what a run does that is to end.
func (s *session) endsHow() string {
	if s.o.Dry {
		return "nothing more is read"
	}
	return "nothing more is read, what was read is written, and nothing is deleted"
}

// session is one run of sync or diff.
type session struct {
	app      *setup.App
	o        *Options
	started  time.Time
	screen   *term.Screen
	out      *term.Results
	stderr   io.Writer
	log      *slog.Logger
	messages *logs.Messages
	printer  output.Printer
	dest     *destination.Destination
	records  *protocol.Store // of connectors and sync jobs; nil while nobody has asked for them
	state    state.Dir
	dead     *docfile.DeadLetter // of all connectors, when the command line names a file
	deleted  *docfile.Deleted    // of all connectors; nil when no file is asked for
	services extraction
	until    context.Context //nolint:containedctx // ends with --max-duration; nil for no limit
	outcomes []*ran
}

// ran is what came of one connector, and who watched it.
type ran struct {
	output.Outcome
	watch *watcher // nil for one that was not begun
}

// live reports whether a line is kept up to date on the terminal.
func (s *session) live() bool {
	return s.o.Format == logs.Text && s.app.Streams.Live(s.o.Progress, s.o.Quiet)
}

// startProgress shows how far a connector is until stop is called. Without a terminal, --progress
// always writes a line from time to time.
func (s *session) startProgress(o *ran, counters *report.Counters) (stop func()) {
	p := &term.Progress{
		Name: o.Name, Lines: s.stderr, Width: s.app.Streams.ErrWidth, Now: s.app.Now, Phase: o.watch.now, Counters: counters,
		Crashed: func(err error) { s.log.Error("the display of the progress crashed", report.Err, err.Error()) },
	}
	switch {
	case s.live():
		p.Screen = s.screen
	case s.o.Progress != term.Always || s.o.Format != logs.Text:
		return func() {}
	}
	return p.Start()
}

func newSession(a *setup.App, o *Options, stop context.CancelCauseFunc) *session {
	s := &session{app: a, o: o, started: a.Now(), screen: &term.Screen{}, stderr: a.Streams.Err}
	out := a.Streams.Out
	if s.live() {
		s.screen.Live = a.Streams.Err
		s.stderr = s.screen.Over(a.Streams.Err)
		if a.Streams.OutTTY {
			out = s.screen.Over(out)
		}
	}
	s.out = term.NewResults(out, func(err error) {
		if o.Dry { // what nobody reads need not be found out; a sync has more to do
			stop(err)
		}
	})
	p := o.Output
	p.Dry, p.Quiet, p.Several = o.Dry, o.Quiet, o.All
	p.Palette = a.Streams.Palette(a.Streams.OutTTY, o.Color)
	if a.Streams.OutTTY {
		p.Width = a.Streams.OutWidth()
	}
	s.printer = output.New(s.out, p)
	s.useLevel("")
	return s
}

// useLevel makes the log: from the level of the command line on, else from that of the configuration,
// else from what suits the reader.
func (s *session) useLevel(configured string) {
	level, ok := logs.Level(s.o.Level)
	if !ok {
		level, ok = logs.Level(configured)
	}
	if !ok {
		level = slog.LevelWarn
		if s.app.Streams.ErrTTY && !s.o.Quiet {
			level = slog.LevelInfo
		}
	}
	s.log = logs.New(s.stderr, s.o.Format, level)
	s.messages = &logs.Messages{To: s.stderr, Stacks: level <= slog.LevelDebug}
	if s.o.Format != logs.Text {
		s.messages.Log = s.log
	}
	s.messages.Colors = s.app.Streams.Palette(s.app.Streams.ErrTTY, s.o.Color)
}

// configure begins to count the time that there is, and loads the configuration. stop is called once.
func (s *session) configure(ctx context.Context) (cfg *config.Config, stop func(), err error) {
	stop = func() {}
	if s.o.MaxDuration > 0 {
		s.until, stop = s.app.Limit(context.WithoutCancel(ctx), s.o.MaxDuration)
	}
	if cfg, err = s.app.Config(ctx, s.o.ConfigFile); err != nil {
		return nil, stop, err
	}
	s.useLevel(cfg.Service.LogLevel)
	for _, w := range cfg.Warnings {
		s.messages.Warn(w)
	}
	return cfg, stop, nil
}

// run runs the connectors. Its error is one that prevents or ends all of them.
func (s *session) run(ctx, cut context.Context) error {
	cfg, stop, err := s.configure(ctx)
	defer stop()
	if err != nil {
		return err
	}
	works, unknown, err := s.ofFile(ctx, cfg)
	if err != nil {
		return err
	}
	if s.dest, err = destination.Open(cfg, s.o.Dry); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	if text := s.dest.OpenToOthers(); text != "" {
		s.messages.Warn(text)
	}
	s.state = state.Dir(config.StateDir(cfg, s.app.Getenv))
	err = s.open(ctx, cut, cfg, works, unknown)
	return errors.Join(err, s.dest.Close())
}

// ofFile makes the runs of the chosen connectors of the file. What can be wrong with them without asking
// anybody is found here, before anything runs.
func (s *session) ofFile(ctx context.Context, cfg *config.Config) (works []work, unknown []string, err error) {
	chosen, unknown, err := choose(cfg.Connectors, s.o.Names, s.o.All)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range chosen {
		w := work{connector: c}
		if c.ConnectorID == "" {
			if w.job, err = JobOf(ctx, s.app, cfg, &c, s.o); err != nil {
				return nil, nil, err
			}
		}
		works = append(works, w)
	}
	return works, unknown, nil
}

// ofElasticsearch completes the runs of connectors whose records are kept there.
func (s *session) ofElasticsearch(ctx context.Context, cfg *config.Config, works []work, unknown []string) ([]work, error) {
	for _, name := range unknown {
		works = append(works, work{connector: config.Connector{ConnectorID: name}})
	}
	for i := range works {
		w := &works[i]
		if w.connector.ConnectorID == "" {
			continue
		}
		if err := s.openRecords(ctx, cfg); err != nil {
			return nil, err
		}
		record, err := records.Find(ctx, s.records, w.connector.ConnectorID)
		if errors.Is(err, elastic.ErrNotFound) && slices.Contains(unknown, w.connector.ConnectorID) {
			return nil, records.NoConnector(cfg.Connectors, w.connector.ConnectorID)
		}
		if errors.Is(err, elastic.ErrNotFound) {
			return nil, records.Missing(w.connector.ConnectorID)
		}
		if err != nil {
			return nil, err
		}
		if !record.Body.Status.MaySync() {
			return nil, records.NotConfigured(&record)
		}
		w.record = &record
		planned := s.records.NewJob(&record, s.o.Kind)
		w.job, w.connector, err = s.jobOfRecord(ctx, cfg, record.Body.Name, &planned.Connector, s.o.Kind, record.Body.Features.Rules())
		if err != nil {
			return nil, err
		}
	}
	return works, nil
}

// work is the run of one connector.
type work struct {
	connector config.Connector
	job       engine.Job
	record    *protocol.Record[protocol.Connector] // nil for a connector of the file
}

// open runs the connectors once the destination is open.
func (s *session) open(ctx, cut context.Context, cfg *config.Config, works []work, unknown []string) error {
	works, err := s.ofElasticsearch(ctx, cfg, works, unknown)
	if err != nil {
		return err
	}
	if s.o.Files.Replay != "" && sameFile(s.o.Files.Replay, s.o.Files.DeadLetter) {
		return &usage.Error{Problem: "--replay and --dead-letter name the same file", Hint: "what is rejected again would overwrite what was not sent yet"}
	}
	if s.o.Files.DeadLetter != "" {
		s.dead = docfile.NewDeadLetter(s.o.Files.DeadLetter)
	}
	if s.o.Files.DeletedTo != "" {
		s.deleted = docfile.NewDeleted(s.o.Files.DeletedTo)
	}
	if err := s.filesReady(); err != nil {
		return err
	}
	err = s.each(ctx, cut, cfg, works)
	if s.deleted != nil {
		err = errors.Join(err, s.deleted.Close())
	}
	return err
}

// filesReady finds out, before the first document is sent, whether the files that the command line names
// can be written.
func (s *session) filesReady() error {
	if s.o.Dry {
		return nil
	}
	if s.dead != nil {
		if err := s.dead.Ready(); err != nil {
			return &usage.Error{Problem: err.Error(), Hint: "--dead-letter wants the name of a file that can be written"}
		}
	}
	if s.deleted != nil {
		if err := s.deleted.Ready(); err != nil {
			return &usage.Error{Problem: err.Error(), Hint: "--deleted-to wants the name of a file that can be written"}
		}
	}
	return nil
}

// each runs one connector after the other; what happens to one does not keep the next from its turn,
// unless it would happen to that one too.
func (s *session) each(ctx, cut context.Context, cfg *config.Config, works []work) error {
	if err := s.apart(ctx, works); err != nil {
		return err
	}
	s.inTurns(works)
	for i := range works {
		if ctx.Err() != nil {
			if i > 0 && s.outcomes[i-1].Err != nil {
				return nil // it is told already, and the exit code knows of it
			}
			return context.Cause(ctx)
		}
		w := &works[i]
		o := s.begin(&w.connector)
		switch {
		case s.until != nil && s.until.Err() != nil:
			o.Err = fmt.Errorf("%w: not begun", engine.ErrTimeIsUp)
		case w.record != nil && !s.o.Dry && s.o.Files.Replay == "":
			s.oneOfElasticsearch(ctx, cut, cfg, w, o)
		default:
			s.one(ctx, cut, cfg, &w.connector, w.job, o, attended{})
		}
		s.done(ctx, o)
		if left := len(works) - i - 1; left > 0 && errors.Is(o.Err, elastic.ErrUnreachable) {
			s.messages.Note(fmt.Sprintf("%s not tried, because the destination cannot be reached", term.Plural(int64(left), "connector was", "connectors were")))
			return nil
		}
	}
	return nil
}

// apart refuses two connectors whose names of the index turn out to be the same index, by an alias:
// each would delete the documents of the other. A destination that cannot tell is found out later.
func (s *session) apart(ctx context.Context, works []work) error {
	if len(works) < 2 {
		return nil
	}
	taken := map[string]string{}
	for i := range works {
		c := &works[i].connector
		client, err := s.dest.Client(c)
		if err != nil {
			return err
		}
		index, err := client.Index(ctx, works[i].job.Index)
		if errors.Is(err, elastic.ErrUnreachable) {
			return nil
		}
		if err != nil {
			continue
		}
		if other, ok := taken[index.Name]; ok {
			return &usage.Error{
				Problem: fmt.Sprintf("the connectors %s and %s mean the same index %s", term.Quoted(other), term.Quoted(c.Name), term.Quoted(index.Name)),
				Hint:    "give each connector an index of its own",
			}
		}
		taken[index.Name] = c.Name
	}
	return nil
}

// inTurns lets those connectors go first whose last run with a time limit is longest ago.
func (s *session) inTurns(works []work) {
	if s.until == nil {
		return
	}
	soon := s.app.Now().Add(time.Hour)
	last := func(w work) time.Time {
		at := s.state.LastTurn(s.dest.LockName(), w.job.Index)
		if at.After(soon) { // some clock was wrong; it would go last until then
			return time.Time{}
		}
		return at
	}
	slices.SortStableFunc(works, func(a, b work) int { return last(a).Compare(last(b)) })
}

func (s *session) begin(c *config.Connector) *ran {
	o := &ran{Outcome: output.Outcome{Name: c.Name, Type: c.ServiceType, Destination: s.dest.Name()}}
	o.Result.Index = c.IndexName
	return o
}

// done is called once what came of a connector is settled.
func (s *session) done(ctx context.Context, o *ran) {
	o.Exit = s.o.Code(nil, &o.Outcome)
	if o.watch != nil {
		o.Unread = o.watch.unread
	}
	s.outcomes = append(s.outcomes, o)
	s.tell(ctx, o)
}

// attended is what a run has beside it whose sync job is looked after.
type attended struct {
	fence    func(context.Context) error
	counters *report.Counters
}

// one runs one connector.
func (s *session) one(ctx, cut context.Context, cfg *config.Config, c *config.Connector, job engine.Job, o *ran, by attended) {
	client, err := s.dest.Client(c)
	if err != nil {
		o.Err = err
		return
	}
	log := s.log.With(report.Connector, c.Name, report.Source, c.ServiceType)
	counters := by.counters
	if counters == nil {
		counters = &report.Counters{}
	}
	o.watch = newWatcher(s, o, log)
	parts, err := newPartFilter(s.o.Parts, &job.Type)
	if err != nil {
		o.Err = err
		return
	}
	if parts != nil {
		job.Wants = parts.wants
	}
	dead := s.dead
	if dead == nil {
		dead = docfile.NewDeadLetter(s.deadLetterOf(c))
	}
	before := dead.Count()
	started := s.app.Now()
	stop := s.startProgress(o, counters)
	deps := engine.Deps{
		Settings: settingsOf(cfg, string(s.state)), Own: s.own(), Client: client, Service: s.services.of(cfg, s.log), Log: log, Observer: o.watch, Counters: counters, DeadLetter: dead, Deleted: s.deleted,
		Lock: func(cluster, index string) (func(), error) {
			return s.state.Lock(cmp.Or(cluster, s.dest.LockName()), index)
		},
		Vanished: engine.Vanished{
			Load: func(index, of string) ([]string, error) { return s.state.Vanished(s.dest.LockName(), index, of) },
			Save: func(index, of string, scopes []string) error {
				return s.state.KeepVanished(s.dest.LockName(), index, of, scopes)
			},
		},
		Turns: engine.Turns{
			Load: func(of string) (map[string]int64, error) { return s.state.Turns(s.dest.LockName(), job.Index, of) },
			Save: func(of string, turns map[string]int64) error {
				return s.state.KeepTurns(s.dest.LockName(), job.Index, of, turns)
			},
		},
		Until: s.until, Fence: by.fence, Cut: cut, Now: s.app.Now,
	}
	if s.o.Files.Replay != "" {
		o.Result, o.Err = engine.Replay(ctx, job, deps, s.o.Files.Replay)
	} else {
		o.Result, o.Err = engine.Run(ctx, job, deps)
	}
	stop()
	if s.o.Files.Replay == "" && o.Err == nil && !o.Result.Late {
		o.Err = o.watch.unmatched(parts, &o.Result)
	}
	o.Took = s.app.Now().Sub(started)
	if dead.Count() > before {
		o.DeadLetter = dead.Path()
	}
	if err := dead.Close(); err != nil && o.Err == nil {
		o.Err = fmt.Errorf("dead-letter file: %w", err)
	}
	// Whatever failed because the run was ended, the signal is why.
	if _, crashed := errors.AsType[*crash.Error](o.Err); o.Err != nil && ctx.Err() != nil && !crashed {
		o.Err = context.Cause(ctx)
	}
	o.Confirm = s.confirmation(o)
}

// own are the paths of what this program writes on this machine.
func (s *session) own() []string {
	var own []string
	for _, path := range []string{string(s.state), s.dest.Folder(), s.o.Files.DeadLetter, s.o.Files.DeletedTo} {
		if full, err := filepath.Abs(path); err == nil && path != "" {
			own = append(own, full)
		}
	}
	return own
}

// deadLetterOf is the dead-letter file of a connector in the state folder. While that one is replayed,
// what is rejected again goes into another one.
func (s *session) deadLetterOf(c *config.Connector) string {
	key := state.Key(s.dest.LockName(), c.IndexName)
	file := filepath.Join(string(s.state), "dead-letter", key+".ndjson")
	if sameFile(file, s.o.Files.Replay) {
		return filepath.Join(filepath.Dir(file), key+"-again.ndjson")
	}
	return file
}

// sameFile reports whether two names are of one file that exists.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// finish reports the end of the whole command and returns its exit code.
func (s *session) finish(ctx context.Context, err error) int {
	if err != nil {
		s.messages.Conclude(ctx, "", err)
	}
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
