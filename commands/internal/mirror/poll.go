package mirror

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Poll polls once, or does only the part of a poll that do is, and returns the exit code.
func Poll(ctx, cut context.Context, a *setup.App, o *Options, do func(*protocol.Poller, context.Context) error) (code int) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	j := jobs{newSession(cut, a, o, stop)}
	defer j.reportSignal(ctx, cut)()
	defer j.reported(ctx, &code)()
	err := j.poll(ctx, do)
	if err != nil && ctx.Err() != nil { // the signal is the cause of every failure after it
		err = context.Cause(ctx)
	}
	return j.finish(ctx, err)
}

// poll polls once. Its error prevented or ended the poll; the results of connectors and jobs are among the
// outcomes.
func (j jobs) poll(ctx context.Context, do func(*protocol.Poller, context.Context) error) error {
	stop, err := j.start(ctx)
	defer stop()
	if err != nil {
		return err
	}
	scope, err := j.scope()
	if err != nil {
		return err
	}
	if err := j.open(ctx, false); err != nil {
		return err
	}
	err = j.openRecords(ctx)
	if err == nil {
		j.held.end(true) // not of a connector
		err = do(j.poller(ctx, scope), ctx)
	}
	return errors.Join(err, j.closeDestination())
}

// scope is the set of connectors that the configuration serves.
func (j jobs) scope() (protocol.Scope, error) {
	scope := protocol.Scope{NativeTypes: j.known(j.cfg.NativeServiceTypes)}
	if j.cfg.Service.WorkerMode {
		scope.WorkerTypes = j.known(j.cfg.Service.ServiceTypes)
	}
	for i := range j.cfg.Connectors {
		if c := &j.cfg.Connectors[i]; c.ConnectorID != "" {
			scope.Own = append(scope.Own, protocol.Own{ID: c.ConnectorID, ServiceType: c.ServiceType})
		}
	}
	if len(scope.Own)+len(scope.NativeTypes)+len(scope.WorkerTypes) == 0 {
		problem := fmt.Sprintf("no entry under connectors: in %s has a connector_id", j.cfg.File)
		if len(j.cfg.NativeServiceTypes) > 0 {
			problem += ", and no type in native_service_types is built in"
		}
		return scope, &usage.Error{
			Problem: problem + "; poll serves only those",
			Hint:    program.Name + " connector create NAME creates the record of an entry, and prints the line to add to it",
		}
	}
	return scope, nil
}

// known are the service types that this program can serve. Configuration files of other programs may list
// more.
func (j jobs) known(types []string) []string {
	var out []string
	for _, name := range types {
		if _, err := records.SourceType(j.app, j.cfg, &config.Connector{ServiceType: name}); err != nil {
			j.log.Debug("connectors of this type are not served", "service_type", name, "reason", err.Error())
			continue
		}
		out = append(out, name)
	}
	return out
}

// poller is one poll of this session.
func (j jobs) poller(ctx context.Context, scope protocol.Scope) *protocol.Poller {
	return &protocol.Poller{
		Store: j.records, Log: j.log, Host: hostname(), Scope: scope, Heartbeat: j.cfg.Service.Heartbeat,
		Type: func(serviceType string) (source.Type, error) {
			return records.SourceType(j.app, j.cfg, &config.Connector{ServiceType: serviceType})
		},
		Check: func(ctx context.Context, c *protocol.Record[protocol.Connector]) error {
			err := j.check(ctx, c, nil)
			if err == nil {
				o := &ran{Outcome: output.Outcome{Name: c.ID, Type: string(c.Body.ServiceType)}}
				j.works(c.ID, o.where(), false)
			}
			return err
		},
		CheckRules: j.check,
		Run: func(ctx context.Context, claim *protocol.Claim) error {
			j.runClaim(ctx, claim)
			return nil
		},
		Hold: j.hold, Dead: j.state.JobLeft,
		Failed: func(id string, err error) {
			o := &ran{Outcome: output.Outcome{Name: id, Type: records.EntryOf(j.cfg, id).ServiceType, Destination: j.dest.Name()}}
			o.Err, o.id = err, id
			if errors.Is(err, protocol.ErrMissing) {
				o.Err = records.Missing(id)
			}
			j.done(ctx, o)
		},
	}
}

// check validates the configuration of a connector and connects to its source; given rules are validated there
// too.
func (j jobs) check(ctx context.Context, c *protocol.Record[protocol.Connector], rules any) error {
	entry := records.EntryOf(j.cfg, c.ID)
	if entry.Name == "" {
		entry.Name = c.ID
	}
	typ, err := records.SourceType(j.app, j.cfg, &config.Connector{Name: entry.Name, ServiceType: string(c.Body.ServiceType)})
	if err != nil {
		return err
	}
	values, err := records.ValuesOf(ctx, &typ, &entry, c.Body.Configuration)
	if err != nil {
		return err
	}
	src, err := typ.Open(ctx, values, source.Env{
		Log: j.log.With(report.Connector, c.ID), IDColumns: entry.IDColumns, Profile: entry.Profile, Encoding: entry.Encoding,
		AdvancedRules: rules, StallTimeout: j.cfg.Engine.StallTimeout,
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

// runClaim runs a claimed job.
func (j jobs) runClaim(ctx context.Context, claim *protocol.Claim) {
	body := &claim.Job.Body
	w, err := j.workOf(ctx, &claim.Connector, &body.Connector, body.Type())
	if body.JobType == protocol.JobAccessControl {
		w.connector.IndexName = w.job.Index
	}
	o := j.begin(&w.connector)
	o.Err, o.id = err, claim.Connector.ID
	if late := j.late(); late != nil {
		o.Err = late
	}
	j.attend(ctx, claim, &w, o)
	if errors.Is(o.Err, protocol.ErrCanceled) {
		j.log.Info("the sync job was canceled", report.Job, claim.Job.ID)
		o.Err, o.canceled = nil, true
	}
	j.done(ctx, o)
}
