package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

func newPoll(cut context.Context, a *setup.App) *cli.Command {
	return &cli.Command{
		Name:  "poll",
		Usage: "do what Kibana asks for: make the sync jobs that are due, and run those that wait",
		Description: "Looks after the connectors that the configuration names by connector_id, or by their types: publishes the fields of their " +
			"configuration, shows Kibana that somebody is there, checks that their sources can be reached, validates edited sync rules, " +
			"makes the sync jobs that their schedules call for since the last time, and runs all that wait, one after the other. Any number of " +
			"machines may poll the same connectors: each job is run once. Without --once it polls again and again until it is ended.",
		UsageText: `# all that is due and all that waits; what a crontab runs every minute
elastic-ingest poll --once --quiet -c config.yml

# one poll, and its result for a script
elastic-ingest poll --once -o json`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "once", Usage: "poll once and exit"},
			&cli.StringFlag{Name: "max-deletes", Usage: "withhold deletes when there are more than `N|P%`: a number of documents, or a share of the index. Stands in place of both limits of guard: in the configuration"},
			&cli.DurationFlag{Name: "max-duration", Usage: "stop reading after `DURATION`, such as 50m; a job that is cut short is suspended, and the next poll goes on with it"},
			outputFlag("`text|json|ndjson`: a line a job, one JSON object, or one object a change and then the result"),
		},
		Action: func(c *cli.Context) error {
			o, err := readPoll(c)
			if err != nil {
				return err
			}
			if c.Bool("once") {
				return pollOnce(c.Context, cut, a, o)
			}
			return pollOn(c.Context, cut, a, o)
		},
	}
}

// readPoll reads the flags of poll.
func readPoll(c *cli.Context) (*mirrorOptions, error) {
	g, err := readGlobals(c)
	if err != nil {
		return nil, err
	}
	if c.Args().Present() {
		return nil, &usage.Error{Problem: "poll takes no arguments", Hint: "the configuration names the connectors; " + program.Name + " sync CONNECTOR syncs one of them"}
	}
	o := &mirrorOptions{
		Flags: g, all: true, compare: engine.Auto, maxDeletes: c.String("max-deletes"), printed: output.Options{Form: c.String("output")},
		kind: protocol.JobFull, confirmed: -1, maxDuration: c.Duration("max-duration"),
	}
	if err := oneOf("output", o.printed.Form, []string{output.Text, output.JSON, output.NDJSON}); err != nil {
		return nil, err
	}
	if o.maxDuration < 0 || o.maxDuration == 0 && c.IsSet("max-duration") {
		return nil, &usage.Error{Problem: "--max-duration must be more than nothing"}
	}
	_, _, err = parseGuard(o.maxDeletes)
	return o, err
}

// pollOnce does one poll.
func pollOnce(ctx, cut context.Context, a *setup.App, o *mirrorOptions) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := newSession(a, o, stop)
	defer s.tellSignal(ctx, cut)()
	err := s.poll(ctx, cut)
	if err != nil && ctx.Err() != nil { // whatever failed because the poll was ended, the signal is why
		err = context.Cause(ctx)
	}
	return s.finish(ctx, err)
}

// pollOn polls until it is ended, or until too much has gone wrong in too short a time.
func pollOn(ctx, cut context.Context, a *setup.App, o *mirrorOptions) error {
	var failed []time.Time
	for {
		cfg, err := a.Config(ctx, o.ConfigFile)
		if err != nil {
			return err
		}
		err = pollOnce(ctx, cut, a, o)
		if ctx.Err() != nil {
			return err
		}
		done, told := errors.AsType[*finished](err)
		if told && done.code == ExitUsage { // waiting does not mend it
			return err
		}
		if told && lasting(done.code) {
			failed = append(failed, a.Now())
			for len(failed) > 0 && a.Now().Sub(failed[0]) > cfg.Service.MaxErrorsSpan {
				failed = failed[1:]
			}
			if len(failed) > cfg.Service.MaxErrors {
				return err
			}
		}
		if !idle(ctx, cfg.Service.Idling) {
			return &finished{ExitCode(Mode{}, context.Cause(ctx))}
		}
	}
}

// lasting reports whether a poll went wrong in a way that counts against service.max_errors.
func lasting(code int) bool {
	return code == ExitTemporary || code == ExitAuth || code == ExitFailed || code == ExitCrash
}

// idle waits; it reports false when ctx ends.
func idle(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// poll does one poll. Its error is one that prevents or ends it; what came of connectors and jobs is
// among the outcomes.
func (s *session) poll(ctx, cut context.Context) error {
	cfg, stop, err := s.configure(ctx)
	defer stop()
	if err != nil {
		return err
	}
	scope, err := s.scopeOf(cfg)
	if err != nil {
		return err
	}
	if s.dest, err = destination.Open(cfg, false); err != nil { //nolint:contextcheck // a store is opened without one
		return err
	}
	if text := s.dest.OpenToOthers(); text != "" {
		s.messages.Warn(text)
	}
	s.state = state.Dir(config.StateDir(cfg, s.app.Getenv))
	err = s.openRecords(ctx, cfg)
	if err == nil {
		p := s.poller(ctx, cut, cfg, scope)
		if s.o.cleanup {
			err = p.Cleanup(ctx)
		} else {
			err = p.Once(ctx)
		}
	}
	return errors.Join(err, s.dest.Close())
}

// scopeOf is which connectors the configuration wants served.
func (s *session) scopeOf(cfg *config.Config) (protocol.Scope, error) {
	scope := protocol.Scope{NativeTypes: s.known(cfg, cfg.NativeServiceTypes)}
	if cfg.Service.WorkerMode {
		scope.WorkerTypes = s.known(cfg, cfg.Service.ServiceTypes)
	}
	for i := range cfg.Connectors {
		if c := &cfg.Connectors[i]; c.ConnectorID != "" {
			scope.Own = append(scope.Own, protocol.Own{ID: c.ConnectorID, ServiceType: c.ServiceType})
		}
	}
	if len(scope.Own)+len(scope.NativeTypes)+len(scope.WorkerTypes) == 0 {
		return scope, &usage.Error{
			Problem: "the configuration names no connector of Elasticsearch",
			Hint:    "write its connector_id under connectors:; " + program.Name + " connector create makes one",
		}
	}
	return scope, nil
}

// known are those service types that this program can serve. Files of other programs list more.
func (s *session) known(cfg *config.Config, types []string) []string {
	var out []string
	for _, name := range types {
		if _, err := records.SourceType(s.app, cfg, &config.Connector{ServiceType: name}); err != nil {
			s.log.Debug("connectors of this type are left to others", "service_type", name, "reason", err.Error())
			continue
		}
		out = append(out, name)
	}
	return out
}

// poller is one poll of this session.
func (s *session) poller(ctx, cut context.Context, cfg *config.Config, scope protocol.Scope) *protocol.Poller {
	return &protocol.Poller{
		Store: s.records, Log: s.log, Host: hostname(), Scope: scope, Heartbeat: cfg.Service.Heartbeat,
		Type: func(serviceType string) (source.Type, error) {
			return records.SourceType(s.app, cfg, &config.Connector{ServiceType: serviceType})
		},
		Check: func(ctx context.Context, c *protocol.Record[protocol.Connector]) error {
			return s.check(ctx, cfg, c, nil)
		},
		CheckRules: func(ctx context.Context, c *protocol.Record[protocol.Connector], rules any) error {
			return s.check(ctx, cfg, c, rules)
		},
		Run: func(ctx context.Context, claim *protocol.Claim) error {
			s.runClaim(ctx, cut, cfg, claim)
			return nil
		},
		Hold: s.hold, Dead: s.state.JobLeft,
		Failed: func(id string, err error) {
			o := &ran{Outcome: output.Outcome{Name: id, Type: records.EntryOf(cfg, id).ServiceType, Destination: s.dest.Name()}}
			o.Err = err
			if errors.Is(err, protocol.ErrMissing) {
				o.Err = records.Missing(id)
			}
			s.done(ctx, o)
		},
	}
}

// check validates the configuration of a connector and reaches its source; with rules, they are what it is
// asked about.
func (s *session) check(ctx context.Context, cfg *config.Config, c *protocol.Record[protocol.Connector], rules any) error {
	entry := records.EntryOf(cfg, c.ID)
	if entry.Name == "" {
		entry.Name = c.ID
	}
	typ, err := records.SourceType(s.app, cfg, &config.Connector{Name: entry.Name, ServiceType: string(c.Body.ServiceType)})
	if err != nil {
		return err
	}
	values, err := records.ValuesOf(ctx, &typ, &entry, c.Body.Configuration)
	if err != nil {
		return err
	}
	src, err := typ.Open(ctx, values, source.Env{
		Log: s.log.With(report.Connector, c.ID), IDColumns: entry.IDColumns, Profile: entry.Profile, Encoding: entry.Encoding,
		AdvancedRules: rules, StallTimeout: cfg.Engine.StallTimeout,
	})
	if err != nil {
		return fmt.Errorf("open the source: %w", err)
	}
	err = src.Validate(ctx)
	if err == nil && rules == nil {
		err = src.Ping(ctx)
	}
	if cerr := src.Close(); err == nil {
		err = cerr
	}
	return err
}

// runClaim runs a job that was claimed.
func (s *session) runClaim(ctx, cut context.Context, cfg *config.Config, claim *protocol.Claim) {
	body := &claim.Job.Body
	job, c, failed := s.jobOfRecord(ctx, cfg, claim.Connector.Body.Name, &body.Connector, body.Type(), claim.Connector.Body.Features.Rules())
	if body.JobType == protocol.JobAccessControl {
		c.IndexName = job.Index
	}
	o := s.begin(&c)
	if s.until != nil && s.until.Err() != nil {
		failed = fmt.Errorf("%w: not begun", engine.ErrTimeIsUp)
	}
	s.attend(ctx, cut, cfg, claim, c, job, failed, o)
	if errors.Is(o.Err, protocol.ErrCanceled) {
		s.log.Info("the sync job was canceled", report.Job, claim.Job.ID)
		o.Err = nil
	}
	s.done(ctx, o)
}
