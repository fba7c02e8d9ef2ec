package protocol

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// tend serves one connector: it publishes the fields of its source, writes the heartbeat, checks
// configuration, source and draft rules, and creates the jobs that are due.
func (p *Poller) tend(ctx context.Context, r *Record[Connector]) (err error) {
	for _, t := range []JobType{JobFull, JobAccessControl} {
		if status, _ := r.Body.lastStatus(t); *status == JobInProgress {
			if err := p.Store.repair(ctx, *r, t); err != nil {
				return err
			}
		}
	}
	if err := p.prepare(ctx, r); err != nil {
		return err
	}
	if !r.Body.Status.MaySync() {
		p.Log.Info("the connector waits for its configuration", report.Connector, r.ID, "status", string(r.Body.Status))
		return nil
	}
	err = p.Check(ctx, r)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return errors.Join(err, p.checked(ctx, r, err))
	}
	if err := p.draft(ctx, r); err != nil {
		return err
	}
	if err := p.checked(ctx, r, nil); err != nil {
		return err
	}
	if err := p.onDemand(ctx, r); err != nil {
		return err
	}
	return p.schedule(ctx, r)
}

// update changes a connector and keeps the result.
func (p *Poller) update(ctx context.Context, r *Record[Connector], change func(*Connector) error) error {
	updated, err := p.Store.Connectors.Update(ctx, *r, change)
	if err == nil {
		*r = updated
	}
	return err
}

// prepare publishes the fields and the features of the connector's source, and writes the heartbeat.
func (p *Poller) prepare(ctx context.Context, r *Record[Connector]) error {
	serviceType := p.serviceType(r)
	typ, err := p.Type(serviceType)
	if err != nil {
		return err
	}
	now := p.Store.now()
	seen := r.Body.LastSeen.Time
	checkIn := now.Sub(seen) >= p.Heartbeat || fromTheFuture(seen, now)
	var added []string
	err = p.update(ctx, r, func(c *Connector) error {
		added = publish(c, &typ, serviceType)
		if checkIn && !p.Store.api {
			c.LastSeen = TimeOf(now)
		}
		begin(c, seen, now)
		return nil
	})
	if err != nil {
		return err
	}
	if len(added) > 0 {
		p.Log.Info("published fields of the configuration", report.Connector, r.ID, "fields", strings.Join(added, ", "))
	}
	if checkIn && p.Store.api {
		return p.Store.client.CheckIn(ctx, r.ID)
	}
	return nil
}

// serviceType is the service type of the record, or if it has none, of the configuration.
func (p *Poller) serviceType(r *Record[Connector]) string {
	if t := string(r.Body.ServiceType); t != "" {
		return t
	}
	for _, own := range p.Scope.Own {
		if own.ID == r.ID {
			return own.ServiceType
		}
	}
	return ""
}

// publish writes into a connector what Kibana needs to know about its source.
func publish(c *Connector, typ *source.Type, serviceType string) (added []string) {
	empty := len(c.Configuration) == 0
	configuration, added, changed := Published(typ.Fields, c.Configuration)
	if changed {
		c.Configuration = configuration
	}
	event := ConnectorEventPublished
	if len(typ.Fields) == 0 { // nothing to configure
		event = ConnectorEventConfigured
	}
	if empty && (event == ConnectorEventPublished || !c.Status.MaySync()) {
		if next, ok := NextConnector(c.Status, event); ok {
			c.Status = next
		}
	}
	if c.ServiceType == "" {
		c.ServiceType = Text(serviceType)
	}
	if features := c.Features.With(FeaturesOf(typ)); !c.Features.Equal(features) {
		c.Features = features
	}
	return added
}

// begin starts a new schedule: from the connector's last poll, or else from now. Otherwise a scheduled
// time between two polls could be missed.
func begin(c *Connector, seen, now time.Time) {
	if seen.IsZero() || fromTheFuture(seen, now) {
		seen = now
	}
	for _, t := range []JobType{JobFull, JobIncremental, JobAccessControl} {
		if at := c.scheduledAt(t); bool(c.Scheduling.Of(t).Enabled) && at.IsZero() {
			*at = TimeOf(seen)
		}
	}
}

// checked writes whether the configuration and the source of a connector work.
func (p *Poller) checked(ctx context.Context, r *Record[Connector], problem error) error {
	return p.update(ctx, r, func(c *Connector) error {
		event, text := ConnectorEventSucceeded, Text("")
		if problem != nil {
			event, text = ConnectorEventFailed, cut(problem.Error())
		}
		if next, ok := NextConnector(c.Status, event); ok {
			c.Status, c.Error = next, text
		}
		return nil
	})
}

// draft validates edited rules, and activates them if they are valid.
func (p *Poller) draft(ctx context.Context, r *Record[Connector]) error {
	typ, err := p.Type(string(r.Body.ServiceType))
	if err != nil {
		return err
	}
	return p.update(ctx, r, func(c *Connector) error {
		at := Default(c.Filtering)
		if at < 0 || c.Filtering[at].Draft.Validation.State != ValidationEdited || !c.Features.Rules() {
			return nil
		}
		f := &c.Filtering[at]
		var unreachable error
		advanced := func(rules any) error {
			err := p.CheckRules(ctx, r, rules)
			if errors.Is(err, source.ErrUnreachable) || errors.Is(err, source.ErrTemporary) || ctx.Err() != nil {
				unreachable = err // that says nothing about the rules
			}
			return err
		}
		if !typ.AdvancedRules {
			advanced = nil
		}
		f.Draft.Validation = f.Draft.Validate(advanced)
		if unreachable != nil {
			return unreachable
		}
		if f.Draft.Validation.State == ValidationValid {
			f.Active = f.Draft
		}
		return nil
	})
}

// onDemand creates the job that older versions of Kibana request by a flag.
func (p *Poller) onDemand(ctx context.Context, r *Record[Connector]) error {
	if !r.Body.SyncNow {
		return nil
	}
	// The job is created before the flag is cleared, with an id that every program derives from this
	// version of the record.
	id := derivedID("sync_now", r.ID, strconv.FormatInt(r.kept.SeqNo, 10), strconv.FormatInt(r.kept.PrimaryTerm, 10))
	if err := p.make(ctx, r, JobFull, TriggerOnDemand, id); err != nil {
		return err
	}
	return p.update(ctx, r, func(c *Connector) error {
		c.SyncNow = false
		return nil
	})
}

// schedule creates the jobs that are due.
func (p *Poller) schedule(ctx context.Context, r *Record[Connector]) error {
	for _, t := range []JobType{JobAccessControl, JobIncremental, JobFull} {
		if t == JobAccessControl && !r.Body.Features.DocumentLevelSecurity() || t == JobIncremental && !r.Body.Features.IncrementalSync() {
			continue
		}
		since, now := r.Body.ScheduledAt(t), p.Store.now()
		if fromTheFuture(since, now) {
			p.Log.Warn("the last scheduled sync of this connector is in the future, so some clock was wrong: ignoring it",
				report.Connector, r.ID, "type", string(t), "scheduled_at", since.Format(time.RFC3339), "now", now.Format(time.RFC3339))
			since = time.Time{}
		}
		instant, due, err := Due(r.Body.Scheduling.Of(t), since, now)
		if err != nil {
			return errors.Join(err, p.checked(ctx, r, err))
		}
		if !due {
			continue
		}
		// The job is created first. A program that is killed here creates it again with the same id, which
		// adds no second job, and then records the scheduled time.
		if err := p.make(ctx, r, t, TriggerScheduled, derivedID("scheduled", r.ID, string(t), instant.UTC().Format(time.RFC3339))); err != nil {
			return err
		}
		err = p.update(ctx, r, func(c *Connector) error {
			if at := c.scheduledAt(t); at.Before(instant) || fromTheFuture(at.Time, now) {
				*at = TimeOf(instant)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// make creates a job of a connector, unless one of its type is already pending.
func (p *Poller) make(ctx context.Context, r *Record[Connector], t JobType, trigger Trigger, id string) error {
	waiting, err := p.Store.findJobs(ctx, all(term("connector.id", r.ID), terms("status", []JobStatus{JobPending, JobSuspended})))
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if j.Body.Type() == t {
			p.Log.Info("a sync job of this type is already pending", report.Connector, r.ID, report.Job, j.ID)
			return nil
		}
	}
	_, err = p.Store.Jobs.Create(ctx, id, NewJob(r, t, trigger, p.Store.version, p.Store.now()))
	if errors.Is(err, elastic.ErrConflict) {
		return nil // another program was first
	}
	if err == nil {
		p.Log.Info("created a sync job", report.Connector, r.ID, report.Job, id, "type", string(t), "trigger", string(trigger))
	}
	return err
}

// cut shortens a message to the length that a record allows.
func cut(text string) Text {
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return Text(text)
}
