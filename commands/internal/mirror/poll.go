package mirror

import (
	"context"
	"errors"
	"fmt"

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

// Poll does one poll, or the part of it that do is, and returns the exit code.
func Poll(ctx, cut context.Context, a *setup.App, o *Options, do func(*protocol.Poller, context.Context) error) int {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := newSession(a, o, stop)
	defer s.tellSignal(ctx, cut)()
	err := s.poll(ctx, cut, do)
	if err != nil && ctx.Err() != nil { // whatever failed because the poll was ended, the signal is why
		err = context.Cause(ctx)
	}
	return s.finish(ctx, err)
}

// poll does one poll. Its error is one that prevents or ends it; what came of connectors and jobs is
// among the outcomes.
func (s *session) poll(ctx, cut context.Context, do func(*protocol.Poller, context.Context) error) error {
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
		err = do(s.poller(ctx, cut, cfg, scope), ctx)
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
		Store: s.records, Log: s.log, Host: Hostname(), Scope: scope, Heartbeat: cfg.Service.Heartbeat,
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
