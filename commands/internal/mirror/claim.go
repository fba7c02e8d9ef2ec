package mirror

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// oneOfElasticsearch syncs a connector of Elasticsearch that was named: as a job that Kibana shows.
func (s *session) oneOfElasticsearch(ctx, cut context.Context, cfg *config.Config, w *work, o *ran) {
	claim, release, err := s.claimNamed(ctx, cut, cfg, w)
	if err != nil {
		if errors.Is(err, protocol.ErrLost) {
			err = fmt.Errorf("%w: %w", records.ErrBusy, err)
		}
		o.Err = err
		return
	}
	defer func() { release(claim.Settled()) }()
	s.attend(ctx, cut, cfg, claim, w.connector, w.job, nil, o)
}

// claimNamed takes a job of a connector that was named. What a killed program has left is cleaned up
// first, so that the next run goes on and does not wait for somebody who never comes.
func (s *session) claimNamed(ctx, cut context.Context, cfg *config.Config, w *work) (*protocol.Claim, func(settled bool), error) {
	own := protocol.Scope{Own: []protocol.Own{{ID: w.record.ID, ServiceType: w.connector.ServiceType}}}
	if err := s.poller(ctx, cut, cfg, own).Cleanup(ctx); err != nil {
		return nil, nil, err
	}
	id, made, err := s.records.RunnableJob(ctx, w.record, s.o.Kind)
	if err != nil {
		return nil, nil, err
	}
	claim, release, err := s.claim(ctx, id)
	if err != nil && made { // nobody shall run later what was asked for now
		_, _, cerr := s.records.CancelJob(context.WithoutCancel(ctx), id)
		err = errors.Join(err, cerr)
	}
	return claim, release, err
}

// claim takes a job.
func (s *session) claim(ctx context.Context, id string) (*protocol.Claim, func(settled bool), error) {
	job, err := s.records.Jobs.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	token := protocol.NewToken()
	release, ok := s.hold(id, token)
	if !ok {
		return nil, nil, protocol.ErrLost
	}
	claim, err := s.records.Claim(ctx, job, Hostname(), token)
	if err != nil {
		release(protocol.NotLeft(err))
	}
	return claim, release, err
}

// hold marks a claim as one of a program of this machine. Without a state folder that can be written it
// goes without: then others learn of the end of a killed program later.
func (s *session) hold(job, token string) (release func(settled bool), ok bool) {
	release, ok, err := s.state.HoldJob(job, token)
	if err != nil {
		s.log.Warn("the sync job is not marked in the state folder", report.Job, job, report.Err, err.Error())
		return func(bool) {}, true
	}
	return release, ok
}

// attend runs a job that was claimed, or ends it by failed, and writes what came of it.
func (s *session) attend(ctx, cut context.Context, cfg *config.Config, claim *protocol.Claim, c config.Connector, job engine.Job, failed error, o *ran) {
	counters := &report.Counters{}
	counts := func() protocol.Counts {
		n := counters.Snapshot()
		return protocol.Counts{Indexed: n.Created + n.Updated, Deleted: n.Deleted, Bytes: n.Bytes}
	}
	o.Job = claim.Job.ID
	o.Err = failed
	if failed == nil {
		_ = claim.Run(ctx, counts, func(ctx context.Context) error {
			s.one(ctx, cut, cfg, &c, job, o, attended{fence: claim.Fence, counters: counters})
			return o.Err
		})
	}
	e := s.ending(o)
	e.Counts = counts()
	if err := claim.Finish(ctx, e); err != nil && !errors.Is(o.Err, protocol.ErrTaken) {
		if errors.Is(o.Err, protocol.ErrCanceled) {
			o.Err = nil // which is no failure, unlike what follows
		}
		o.Err = errors.Join(o.Err, fmt.Errorf("write the end of sync job %q: %w", claim.Job.ID, err))
	}
}

// ending is what Kibana is told of a run.
func (s *session) ending(o *ran) protocol.Ending {
	n := &o.Result.Counts
	e := protocol.Ending{Event: protocol.JobEventComplete, Details: protocol.Details{
		Created: n.Created, Updated: n.Updated, Kept: n.Kept, Withheld: n.Withheld, Rejected: n.Rejected, Dropped: n.Dropped,
		Duplicates: n.Duplicates, ContentErrors: n.ContentErrors, FailedParts: o.Result.Failed,
	}}
	for _, f := range o.Result.NotIndexed {
		if e.Details.NotIndexed == nil {
			e.Details.NotIndexed = map[string]int64{}
		}
		e.Details.NotIndexed[f.Field] = f.Documents
	}
	if o.Result.Cursor != "" {
		e.Cursor = protocol.Raw(o.Result.Cursor)
	}
	_, interrupted := errors.AsType[*term.SignalError](o.Err)
	switch {
	case errors.Is(o.Err, protocol.ErrCanceled):
		e.Event = protocol.JobEventCancel
	case interrupted, errors.Is(o.Err, engine.ErrTimeIsUp), errors.Is(o.Err, state.ErrLocked):
		e.Event = protocol.JobEventSuspend // the next poll goes on
	case o.Err != nil:
		e.Event, e.Error = protocol.JobEventFail, withHint(o.placed())
	case o.Result.Failed > 0:
		e.Event, e.Error = protocol.JobEventFail, strings.Join(s.remarks(o), "; ")
		if o.watch != nil && len(o.watch.failures) > 0 {
			e.Error = (&placedError{o.watch.failures[0]}).Error() + "; " + e.Error
		}
	default:
		e.Details.Note = strings.Join(s.remarks(o), "; ")
		if o.Confirm != "" {
			e.Details.Note += "; to go on: " + o.Confirm
		}
	}
	return e
}

// placed is the error of a run, with the part of the source where it happened, if it was one.
func (o *ran) placed() error {
	if o.watch != nil {
		for _, f := range o.watch.failures {
			if errors.Is(o.Err, f.Err) {
				return &placedError{f}
			}
		}
	}
	return o.Err
}

// withHint is an error with what to do about it, for people who see nothing else.
func withHint(err error) string {
	if hint := logs.HintOf(err); hint != "" {
		return err.Error() + " (" + hint + ")"
	}
	return err.Error()
}
