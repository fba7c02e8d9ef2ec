package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// mirror is sync and diff: it runs the chosen connectors one after the other and tells what came of
// them.
func mirror(ctx, cut context.Context, a *App, o *mirrorOptions) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := newSession(a, o, stop)
	err := s.run(ctx, cut)
	return s.finish(ctx, err)
}

// session is one run of sync or diff.
type session struct {
	app      *App
	o        *mirrorOptions
	started  time.Time
	screen   *screen
	out      *output
	stderr   io.Writer
	log      *slog.Logger
	messages *messages
	printer  printer
	dest     *destination
	state    state.Dir
	dead     *bulk.DeadLetter // of all connectors, when the command line names a file
	deleted  *bulk.Deleted    // of all connectors; nil when no file is asked for
	until    context.Context  //nolint:containedctx // ends with --max-duration; nil for no limit
	outcomes []*outcome
}

// outcome is what came of one connector.
type outcome struct {
	Outcome
	name, typ, dest string
	took            time.Duration
	watch           *watcher
	deadLetter      string // where rejected documents are, "" when there is none
	confirm         string // the command line that permits what was withheld
}

func newSession(a *App, o *mirrorOptions, stop context.CancelCauseFunc) *session {
	s := &session{app: a, o: o, started: a.Now(), screen: &screen{}, stderr: a.Streams.Err}
	out := a.Streams.Out
	if s.live() {
		s.screen.live = a.Streams.Err
		s.stderr = s.screen.over(a.Streams.Err)
		if a.Streams.outTTY {
			out = s.screen.over(out)
		}
	}
	s.out = newOutput(out, func(err error) {
		if o.dry { // what nobody reads need not be found out; a sync has more to do
			stop(err)
		}
	})
	s.printer = newPrinter(s)
	s.useLevel("")
	return s
}

// useLevel makes the log: from the level of the command line on, else from that of the configuration,
// else from what suits the reader.
func (s *session) useLevel(configured string) {
	level, ok := levelOf(s.o.level)
	if !ok {
		level, ok = levelOf(configured)
	}
	if !ok {
		level = slog.LevelWarn
		if s.app.Streams.errTTY && !s.o.quiet {
			level = slog.LevelInfo
		}
	}
	s.log = newLog(s.stderr, s.o.format, level)
	s.messages = &messages{w: s.stderr, stacks: level <= slog.LevelDebug}
	if s.o.format != asText {
		s.messages.log = s.log
	}
	s.messages.ours = s.app.Streams.palette(s.app.Streams.errTTY, s.o.color)
}

// run runs the connectors. Its error is one that prevents or ends all of them.
func (s *session) run(ctx, cut context.Context) error {
	if s.o.maxDuration > 0 {
		until, stop := context.WithTimeout(context.WithoutCancel(ctx), s.o.maxDuration)
		defer stop()
		s.until = until
	}
	cfg, err := s.app.config(ctx, s.o.configFile)
	if err != nil {
		return err
	}
	s.useLevel(cfg.Service.LogLevel)
	for _, w := range cfg.Warnings {
		s.messages.warn(w)
	}
	chosen, err := choose(cfg.Connectors, s.o.names, s.o.all)
	if err != nil {
		return err
	}
	jobs := make([]engine.Job, len(chosen))
	for i := range chosen {
		if jobs[i], err = s.app.jobOf(ctx, cfg, &chosen[i], s.o); err != nil {
			return err
		}
	}
	if s.dest, err = openDestination(cfg, s.o.dry); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	s.state = state.Dir(config.StateDir(cfg, s.app.getenv))
	if s.o.replay != "" && sameFile(s.o.replay, s.o.deadLetter) {
		return &usageError{problem: "--replay and --dead-letter name the same file", hint: "what is rejected again would overwrite what was not sent yet"}
	}
	if s.o.deadLetter != "" {
		s.dead = bulk.NewDeadLetter(s.o.deadLetter)
	}
	if s.o.deletedTo != "" {
		s.deleted = bulk.NewDeleted(s.o.deletedTo)
	}
	err = s.each(ctx, cut, cfg, chosen, jobs)
	if s.deleted != nil {
		err = errors.Join(err, s.deleted.Close())
	}
	return errors.Join(err, s.dest.close())
}

// each runs one connector after the other; what happens to one does not keep the next from its turn,
// unless it would happen to that one too.
func (s *session) each(ctx, cut context.Context, cfg *config.Config, chosen []config.Connector, jobs []engine.Job) error {
	if err := s.apart(ctx, chosen); err != nil {
		return err
	}
	s.inTurns(chosen, jobs)
	for i := range chosen {
		if ctx.Err() != nil {
			if i > 0 && s.outcomes[i-1].Err != nil {
				return nil // it is told already, and the exit code knows of it
			}
			return context.Cause(ctx)
		}
		o := s.begin(&chosen[i])
		if s.until != nil && s.until.Err() != nil {
			o.Err = fmt.Errorf("%w: not begun", engine.ErrTimeIsUp)
		} else {
			s.one(ctx, cut, cfg, &chosen[i], jobs[i], o)
		}
		s.outcomes = append(s.outcomes, o)
		s.tell(ctx, o)
		if left := len(chosen) - i - 1; left > 0 && errors.Is(o.Err, elastic.ErrUnreachable) {
			s.messages.note(fmt.Sprintf("%s not tried, because the destination cannot be reached", plural(int64(left), "connector was", "connectors were")))
			return nil
		}
	}
	return nil
}

// apart refuses two connectors whose names of the index turn out to be the same index, by an alias:
// each would delete the documents of the other. A destination that cannot tell is found out later.
func (s *session) apart(ctx context.Context, chosen []config.Connector) error {
	if len(chosen) < 2 {
		return nil
	}
	taken := map[string]string{}
	for i := range chosen {
		client, err := s.dest.client(&chosen[i])
		if err != nil {
			return err
		}
		index, err := client.Index(ctx, chosen[i].IndexName)
		if errors.Is(err, elastic.ErrUnreachable) {
			return nil
		}
		if err != nil {
			continue
		}
		if other, ok := taken[index.Name]; ok {
			return &usageError{
				problem: fmt.Sprintf("the connectors %s and %s mean the same index %s", quoted(other), quoted(chosen[i].Name), quoted(index.Name)),
				hint:    "give each connector an index of its own",
			}
		}
		taken[index.Name] = chosen[i].Name
	}
	return nil
}

// inTurns lets those connectors go first whose last run with a time limit is longest ago.
func (s *session) inTurns(chosen []config.Connector, jobs []engine.Job) {
	if s.until == nil {
		return
	}
	order := make([]int, len(chosen))
	for i := range order {
		order[i] = i
	}
	last := func(i int) time.Time { return s.state.LastTurn(s.dest.lockName(), chosen[i].IndexName) }
	slices.SortStableFunc(order, func(a, b int) int { return last(a).Compare(last(b)) })
	connectors, all := slices.Clone(chosen), slices.Clone(jobs)
	for to, from := range order {
		chosen[to], jobs[to] = connectors[from], all[from]
	}
}

func (s *session) begin(c *config.Connector) *outcome {
	o := &outcome{name: c.Name, typ: c.ServiceType, dest: s.dest.name()}
	o.Result.Index = c.IndexName
	return o
}

// one runs one connector.
func (s *session) one(ctx, cut context.Context, cfg *config.Config, c *config.Connector, job engine.Job, o *outcome) {
	client, err := s.dest.client(c)
	if err != nil {
		o.Err = err
		return
	}
	log := s.log.With(report.Connector, c.Name, report.Source, c.ServiceType)
	counters := &report.Counters{}
	o.watch = newWatcher(s, o, log)
	dead := s.dead
	if dead == nil {
		dead = bulk.NewDeadLetter(s.deadLetterOf(c))
	}
	before := dead.Count()
	started := s.app.Now()
	stop := s.startProgress(o, counters)
	deps := engine.Deps{
		Settings: settingsOf(cfg, string(s.state)), Client: client, Log: log, Observer: o.watch, Counters: counters, DeadLetter: dead, Deleted: s.deleted,
		Lock: func(index string) (func(), error) { return s.state.Lock(s.dest.lockName(), index) },
		Vanished: engine.Vanished{
			Load: func(index, of string) ([]string, error) { return s.state.Vanished(s.dest.lockName(), index, of) },
			Save: func(index, of string, scopes []string) error {
				return s.state.KeepVanished(s.dest.lockName(), index, of, scopes)
			},
		},
		Turns: engine.Turns{
			Load: func(of string) (map[string]int64, error) { return s.state.Turns(s.dest.lockName(), c.IndexName, of) },
			Save: func(of string, turns map[string]int64) error {
				return s.state.KeepTurns(s.dest.lockName(), c.IndexName, of, turns)
			},
		},
		Until: s.until, Cut: cut, Now: s.app.Now,
	}
	if s.o.replay != "" {
		o.Result, o.Err = engine.Replay(ctx, job, deps, s.o.replay)
	} else {
		o.Result, o.Err = engine.Run(ctx, job, deps)
	}
	stop()
	o.took = s.app.Now().Sub(started)
	if dead.Count() > before {
		o.deadLetter = dead.Path()
	}
	if err := dead.Close(); err != nil && o.Err == nil {
		o.Err = fmt.Errorf("dead-letter file: %w", err)
	}
	// Whatever failed because the run was ended, the signal is why.
	if _, crashed := errors.AsType[*engine.PanicError](o.Err); o.Err != nil && ctx.Err() != nil && !crashed {
		o.Err = context.Cause(ctx)
	}
	o.confirm = s.confirmation(o)
}

// deadLetterOf is the dead-letter file of a connector in the state folder. While that one is replayed,
// what is rejected again goes into another one.
func (s *session) deadLetterOf(c *config.Connector) string {
	key := state.Key(s.dest.lockName(), c.IndexName)
	file := filepath.Join(string(s.state), "dead-letter", key+".ndjson")
	if sameFile(file, s.o.replay) {
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

// mode is how outcomes are judged.
func (s *session) mode() Mode { return Mode{DryRun: s.o.dry, ExitZero: s.o.exitZero} }

// finish tells the end of the whole command and makes its exit code.
func (s *session) finish(ctx context.Context, err error) error {
	if err != nil {
		s.messages.conclude(ctx, "", err)
	}
	outcomes := make([]Outcome, len(s.outcomes))
	for i, o := range s.outcomes {
		outcomes[i] = o.Outcome
	}
	code := ExitCode(s.mode(), err, outcomes...)
	s.printer.end(s, code, err)
	if failure := s.out.failure(); failure != nil && (s.o.dry || !errors.Is(failure, errOutputClosed)) {
		failure = fmt.Errorf("write the output: %w", failure)
		s.messages.conclude(ctx, "", failure)
		code = ExitCode(s.mode(), errors.Join(err, failure), outcomes...)
	}
	if code == ExitOK {
		return nil
	}
	return &finished{code}
}
