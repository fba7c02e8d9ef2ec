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

// Poller does one poll: it looks after connectors and runs the jobs that wait. Nothing is kept from one
// poll to the next but what stands in the records.
type Poller struct {
	Store *Store
	Log   *slog.Logger
	Host  string // the machine's name, for people
	Scope Scope
	// Heartbeat is how old a connector's last sign of life may be.
	Heartbeat time.Duration
	// Type finds the source type that serves a service type.
	Type func(serviceType string) (source.Type, error)
	// Check says whether the configuration of a connector is right and its source can be reached.
	Check func(context.Context, *Record[Connector]) error
	// CheckRules says whether a connector's source can obey advanced rules.
	CheckRules func(ctx context.Context, c *Record[Connector], rules any) error
	// Run runs a claimed job, and finishes the claim. Its error is one that ends the poll.
	Run func(context.Context, *Claim) error
	// Hold marks a claim as one of a program of this machine; Dead reports that one was so marked and that
	// its program is gone. ok is false while another program holds the job. A claim that was not settled
	// stays marked when it is released.
	Hold func(job, token string) (release func(settled bool), ok bool)
	Dead func(job, token string) bool
	// Failed is told what went wrong with one connector; the others have their turns all the same.
	Failed func(connector string, err error)
}

// Scope says which connectors a program serves.
type Scope struct {
	Own []Own // by their ids
	// NativeTypes are service types whose native connectors are served, WorkerTypes those whose others are.
	NativeTypes, WorkerTypes []string
}

// Own is a connector that the configuration names.
type Own struct{ ID, ServiceType string }

// ErrMissing is a connector that the configuration names and that does not exist.
var ErrMissing = errors.New("there is no such connector in Elasticsearch")

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

// Cleanup ends or resumes jobs that nobody runs, and does nothing else of a poll.
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

// fail tells an error of one connector, unless it is only the end of the poll.
func (p *Poller) fail(ctx context.Context, id string, err error) {
	if ctx.Err() == nil {
		p.Failed(id, err)
	}
}

// connectors lists those that are served.
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

// FindConnectors lists the connectors that a query finds, nil for all of them, without deleted ones. One
// that cannot be read is told and left out.
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
		s.log.Warn("a connector is left out", report.Err, bad.Error())
	}
	slices.SortFunc(found, func(a, b Record[Connector]) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return found, err
}

// runAll runs the jobs that wait, the oldest first, and then once those that have come to wait meanwhile,
// some because they stand in for others. One poll comes to an end however fast jobs are made.
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

// turn runs one job, if it still waits and nobody else is first.
func (p *Poller) turn(ctx context.Context, job Record[Job]) (ran bool, err error) {
	claim, release, err := p.take(ctx, job)
	switch {
	case errors.Is(err, ErrLost):
		p.Log.Info("the sync job is left to somebody else", report.Job, job.ID, report.Err, err.Error())
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

// take claims a job; the claim is nil where the job was ended instead.
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
		p.Log.Warn("a sync job cannot be run", report.Job, job.ID, "reason", text)
		return nil, nil, p.Store.failJob(ctx, job, JobEventFail, text)
	}
	if job.Body.Status == JobSuspended && p.Store.outdated(&job.Body, &c.Body) {
		p.Log.Info("a suspended sync job is superseded by a new one", report.Job, job.ID)
		return nil, nil, p.Store.supersede(ctx, job, &c)
	}
	token := NewToken()
	release, ok := p.Hold(job.ID, token)
	if !ok {
		return nil, nil, fmt.Errorf("a program on this machine is at it: %w", ErrLost)
	}
	claim, err := p.Store.Claim(ctx, job, p.Host, token)
	if err != nil {
		release(NotLeft(err))
		return nil, nil, err
	}
	return claim, release, nil
}

// NotLeft reports whether an error of [Store.Claim] leaves nothing behind.
func NotLeft(err error) bool { return errors.Is(err, ErrLost) && !errors.Is(err, errLeft) }

// impossible says why a job can never be run, or "": nobody should wait for it.
func (p *Poller) impossible(j *Job, c *Connector) string {
	switch {
	case j.JobType == JobAccessControl && !c.Features.DocumentLevelSecurity():
		return "document level security is not enabled for this connector"
	case j.JobType == JobIncremental && !c.Features.IncrementalSync():
		return "incremental syncs are not enabled for this connector"
	}
	return ""
}
