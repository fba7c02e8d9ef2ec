package protocol

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Poller does one poll: it tends connectors and runs pending jobs. Nothing but the records is kept from
// one poll to the next.
type Poller struct {
	Store *Store
	Log   *slog.Logger
	Host  string // the machine's name, for people
	Scope Scope
	// Heartbeat is the maximum age of a connector's heartbeat.
	Heartbeat time.Duration
	// Type finds the source type that serves a service type.
	Type func(serviceType string) (source.Type, error)
	// Check reports whether the configuration of a connector is valid and its source can be reached.
	Check func(context.Context, *Record[Connector]) error
	// CheckRules reports whether a connector's source supports these advanced rules.
	CheckRules func(ctx context.Context, c *Record[Connector], rules any) error
	// Run runs a claimed job, and finishes the claim. An error ends the poll.
	Run func(context.Context, *Claim) error
	// Hold marks a claim as held by a program of this machine; Dead reports that a claim was marked and that
	// its program has ended. ok is false while another program holds the job. A claim that was not settled
	// stays marked when it is released.
	Hold func(job, token string) (release func(settled bool), ok bool)
	Dead func(job, token string) bool
	// Failed receives the errors of single connectors; the poll continues with the others.
	Failed func(connector string, err error)
}

// Scope defines the connectors that a program serves.
type Scope struct {
	Own []Own // by id
	// NativeTypes are the service types whose native connectors are served, WorkerTypes those whose other connectors are.
	NativeTypes, WorkerTypes []string
}

// Own is a connector that the configuration names.
type Own struct{ ID, ServiceType string }

// ErrMissing means that a connector of the configuration does not exist.
var ErrMissing = errors.New("no such connector in Elasticsearch")

// Once does one poll.
func (p *Poller) Once(ctx context.Context) error {
	if err := p.Store.Ensure(ctx); err != nil {
		return err
	}
	connectors, err := p.connectors(ctx)
	if err != nil {
		return err
	}
	if err := p.cleanup(ctx, connectors); err != nil {
		return err
	}
	for i := range connectors {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := p.tend(ctx, &connectors[i]); err != nil {
			p.fail(ctx, connectors[i].ID, err)
		}
	}
	ran, err := p.runAll(ctx, connectors)
	p.Log.Info("polled", "connectors", len(connectors), "jobs", ran)
	return err
}

// Cleanup ends or resumes orphaned jobs, and does nothing else of a poll.
func (p *Poller) Cleanup(ctx context.Context) error {
	if exist, err := p.Store.Exist(ctx); err != nil || !exist {
		return err
	}
	connectors, err := p.connectors(ctx)
	if err != nil {
		return err
	}
	return p.cleanup(ctx, connectors)
}

// fail reports an error of one connector, unless it is only the end of the poll.
func (p *Poller) fail(ctx context.Context, id string, err error) {
	if ctx.Err() == nil {
		p.Failed(id, err)
	}
}

// connectors lists the connectors to serve.
func (p *Poller) connectors(ctx context.Context) ([]Record[Connector], error) {
	var out []Record[Connector]
	for _, own := range p.Scope.Own {
		c, err := p.Store.Connectors.Get(ctx, own.ID)
		switch {
		case errors.Is(err, elastic.ErrNotFound) || err == nil && bool(c.Body.Deleted):
			p.Failed(own.ID, ErrMissing)
		case err != nil && ofAll(ctx, err):
			return nil, err
		case err != nil:
			p.Failed(own.ID, err)
		default:
			out = append(out, c)
		}
	}
	var served []any
	if len(p.Scope.NativeTypes) > 0 {
		served = append(served, all(term("is_native", true), terms("service_type", p.Scope.NativeTypes)))
	}
	if len(p.Scope.WorkerTypes) > 0 {
		served = append(served, all(not(term("is_native", true)), terms("service_type", p.Scope.WorkerTypes)))
	}
	for _, query := range served {
		found, err := p.Store.FindConnectors(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			if !slices.ContainsFunc(out, func(o Record[Connector]) bool { return o.ID == c.ID }) {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// FindConnectors lists the connectors that a query finds, nil for all of them, without deleted ones. A
// connector that cannot be read is reported and skipped.
func (s *Store) FindConnectors(ctx context.Context, query any) ([]Record[Connector], error) {
	if err := s.refresh(ctx, ConnectorsIndex); err != nil {
		return nil, err
	}
	search := elastic.Search{Query: not(term("deleted", true))}
	if query != nil {
		search.Query = all(query, search.Query)
	}
	found, unreadable, err := s.Connectors.Find(ctx, search)
	for _, bad := range unreadable {
		s.log.Warn("skipping a connector", report.Err, bad.Error())
	}
	slices.SortFunc(found, func(a, b Record[Connector]) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return found, err
}

// runAll runs the pending jobs, the oldest first, and then once those that were added in the meantime,
// some of which supersede others. So a poll ends however fast jobs are created.
func (p *Poller) runAll(ctx context.Context, connectors []Record[Connector]) (ran int, err error) {
	var ids []string
	for _, c := range connectors {
		ids = append(ids, c.ID)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	tried := map[string]bool{}
	for range 2 {
		waiting, err := p.Store.findJobs(ctx, all(terms("connector.id", ids), terms("status", []JobStatus{JobPending, JobSuspended})))
		if err != nil {
			return ran, err
		}
		waiting = slices.DeleteFunc(waiting, func(j Record[Job]) bool { return tried[j.ID] })
		for _, job := range waiting {
			if ctx.Err() != nil {
				return ran, context.Cause(ctx)
			}
			tried[job.ID] = true
			done, err := p.turn(ctx, job)
			if done {
				ran++
			}
			if err != nil {
				return ran, err
			}
		}
	}
	return ran, nil
}

// turn runs one job, if it is still pending and no other program is first.
func (p *Poller) turn(ctx context.Context, job Record[Job]) (ran bool, err error) {
	claim, release, err := p.take(ctx, job)
	switch {
	case errors.Is(err, ErrLost):
		p.Log.Info("the sync job is left to another program", report.Job, job.ID, report.Err, err.Error())
		return false, nil
	case err != nil:
		p.fail(ctx, job.Body.Connector.ID, fmt.Errorf("sync job %q: %w", job.ID, err))
		return false, nil
	case claim == nil:
		return false, nil
	}
	defer func() { release(claim.Settled()) }()
	return true, p.Run(ctx, claim)
}

// take claims a job; the claim is nil if the job was ended instead.
func (p *Poller) take(ctx context.Context, job Record[Job]) (*Claim, func(settled bool), error) {
	job, err := p.Store.Jobs.Get(ctx, job.ID)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil, nil, ErrLost
	}
	if err != nil {
		return nil, nil, err
	}
	if !job.Body.Status.Waiting() {
		return nil, nil, fmt.Errorf("it is %s: %w", job.Body.Status, ErrLost)
	}
	c, err := p.Store.Connectors.Get(ctx, job.Body.Connector.ID)
	if errors.Is(err, elastic.ErrNotFound) { // the next poll ends the job
		return nil, nil, fmt.Errorf("its connector was deleted: %w", ErrLost)
	}
	if err != nil {
		return nil, nil, err
	}
	if text := p.impossible(&job.Body, &c.Body); text != "" {
		p.Log.Warn("cannot run a sync job", report.Job, job.ID, "reason", text)
		return nil, nil, p.Store.failJob(ctx, job, JobEventFail, text)
	}
	if job.Body.Status == JobSuspended && p.Store.outdated(&job.Body, &c.Body) {
		p.Log.Info("a new job supersedes a suspended sync job", report.Job, job.ID)
		return nil, nil, p.Store.supersede(ctx, job, &c)
	}
	token := NewToken()
	release, ok := p.Hold(job.ID, token)
	if !ok {
		return nil, nil, fmt.Errorf("another program on this machine is running it: %w", ErrLost)
	}
	claim, err := p.Store.Claim(ctx, job, p.Host, token)
	if err != nil {
		release(NotLeft(err))
		return nil, nil, err
	}
	return claim, release, nil
}

// NotLeft reports whether an error of [Store.Claim] leaves the job without a mark of this program.
func NotLeft(err error) bool { return errors.Is(err, ErrLost) && !errors.Is(err, errLeft) }

// impossible says why a job can never run, or "".
func (p *Poller) impossible(j *Job, c *Connector) string {
	switch {
	case j.JobType == JobAccessControl && !c.Features.DocumentLevelSecurity():
		return "document level security is not enabled for this connector"
	case j.JobType == JobIncremental && !c.Features.IncrementalSync():
		return "incremental syncs are not enabled for this connector"
	}
	return ""
}
