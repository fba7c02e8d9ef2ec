package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// attended are the values that the run of a sync job needs in addition to those of a sync.
type attended struct {
	fence    func(context.Context) error
	counters *report.Counters
}

// one runs one connector.
func (s *session) one(ctx context.Context, w *work, o *ran, by attended) {
	client, err := s.dest.Client(&w.connector)
	if err != nil {
		o.Err = err
		return
	}
	job := w.job
	parts, err := newPartFilter(s.o.Parts, &job.Type)
	if err != nil {
		o.Err = err
		return
	}
	if parts != nil {
		job.Wants = parts.wants
	}
	s.plans.bound(&job)
	dead := s.kept.dead
	if dead == nil {
		dead = docfile.NewDeadLetter(s.deadLetterOf(&w.connector))
	}
	before := dead.Count()
	started := s.app.Now()
	deps := s.deps(client, w, by)
	deps.DeadLetter, deps.Save = dead, s.plans.save
	o.Tally, o.guard = &output.Tally{}, job.Guard
	if job.Type.Tree {
		o.Tally.Root = "."
	}
	o.Language = cmp.Or(w.connector.Language, s.cfg.Elasticsearch.LanguageCode)
	o.watch = newWatcher(s.console, o, deps.Log)
	deps.Observer = o.watch
	stop := s.startProgress(o, deps.Counters, s.app.Now)
	switch {
	case s.o.Files.Replay != "":
		o.Result, o.Err = engine.Replay(ctx, job, deps, s.o.Files.Replay)
	case s.o.Permits.Rebuild:
		o.Result, o.Err = engine.Rebuild(ctx, job, deps)
	default:
		o.Result, o.Err = engine.Run(ctx, job, deps)
	}
	stop()
	if s.o.Files.Replay == "" && o.Err == nil && !o.Result.Late {
		o.Err = o.watch.unmatched(parts, &o.Result)
	}
	s.plans.concluded(o)
	o.Took = s.app.Now().Sub(started)
	if dead.Count() > before {
		o.DeadLetter = dead.Path()
	}
	if err := dead.Close(); err != nil && o.Err == nil {
		o.Err = fmt.Errorf("dead-letter file: %w", err)
	}
	// The signal is the cause of every failure after it.
	if _, crashed := errors.AsType[*crash.Error](o.Err); o.Err != nil && ctx.Err() != nil && !crashed {
		o.Err = context.Cause(ctx)
	}
	o.Confirm = o.confirmation(s.o)
}

// deps are the engine's dependencies for the run of one connector, except for its observer and its dead-letter
// file.
func (s *session) deps(client *elastic.Client, w *work, by attended) engine.Deps {
	counters := by.counters
	if counters == nil {
		counters = &report.Counters{}
	}
	to, index := s.dest.LockName(), w.job.Index
	return engine.Deps{
		Settings: settingsOf(s.cfg, string(s.state)), Own: s.own(), Client: client, Service: s.services.of(s.cfg, s.log),
		Log: s.log.With(report.Connector, w.connector.Name, report.Source, w.connector.ServiceType), Counters: counters, Deleted: s.kept.deleted,
		Lock: func(ctx context.Context, cluster, index string) (func(), bool, error) {
			return s.lock(ctx, cmp.Or(cluster, to), index)
		},
		Vanished: engine.Vanished{
			Load: func(index, of string) ([]string, error) { return s.state.Vanished(to, index, of) },
			Save: func(index, of string, scopes []string) error { return s.state.KeepVanished(to, index, of, scopes) },
		},
		Turns: engine.Turns{
			Load: func(of string) (map[string]int64, error) { return s.state.Turns(to, index, of) },
			Save: func(of string, turns map[string]int64) error { return s.state.KeepTurns(to, index, of, turns) },
		},
		Until: s.until, Fence: by.fence, Cut: s.cut, Now: s.app.Now,
	}
}

// own are the paths that this program writes on this machine.
func (s *session) own() []string {
	var own []string
	paths := []string{string(s.state), s.dest.Folder(), s.o.Files.DeadLetter, s.o.Files.DeletedTo, s.o.Files.Plan, s.o.Metrics}
	if s.o.Files.Save != "" {
		paths = append(paths, s.o.Files.Save, s.o.Files.Save+planfile.Unfinished)
	}
	for _, path := range paths {
		if full, err := filepath.Abs(path); err == nil && path != "" {
			own = append(own, full)
		}
	}
	return own
}

// deadLetterOf is the dead-letter file of a connector in the state folder. A replay of that file writes
// documents that are rejected again to another file.
func (s *session) deadLetterOf(c *config.Connector) string {
	key := state.Key(s.dest.LockName(), c.IndexName)
	file := filepath.Join(string(s.state), "dead-letter", key+".ndjson")
	if sameFile(file, s.o.Files.Replay) {
		return filepath.Join(filepath.Dir(file), key+"-again.ndjson")
	}
	return file
}

// sameFile reports whether two names refer to one existing file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
