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
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// jobs are the sync jobs of connectors of Elasticsearch, as far as this session claims and runs them.
type jobs struct{ *session }

// runNamed syncs a connector of Elasticsearch that was named: as a job that Kibana shows.
func (j jobs) runNamed(ctx context.Context, w *work, o *ran) {
	claim, release, err := j.claimNamed(ctx, w)
	if err != nil {
		if errors.Is(err, protocol.ErrLost) {
			err = fmt.Errorf("%w: %w", records.ErrBusy, err)
		}
		o.Err = err
		return
	}
	defer func() { release(claim.Settled()) }()
	j.attend(ctx, claim, w, o)
}

// claimNamed takes a job of a connector that was named. What a killed program has left is cleaned up
// first, so that the next run goes on and does not wait for somebody who never comes.
func (j jobs) claimNamed(ctx context.Context, w *work) (*protocol.Claim, func(settled bool), error) {
	own := protocol.Scope{Own: []protocol.Own{{ID: w.record.ID, ServiceType: w.connector.ServiceType}}}
	if err := j.poller(ctx, own).Cleanup(ctx); err != nil {
		return nil, nil, err
	}
	id, made, err := j.records.RunnableJob(ctx, w.record, j.o.Kind)
	if err != nil {
		return nil, nil, err
	}
	claim, release, err := j.claim(ctx, id)
	if err != nil && made { // nobody shall run later what was asked for now
		_, _, cerr := j.records.CancelJob(context.WithoutCancel(ctx), id)
		err = errors.Join(err, cerr)
	}
	return claim, release, err
}

// claim takes a job.
func (j jobs) claim(ctx context.Context, id string) (*protocol.Claim, func(settled bool), error) {
	job, err := j.records.Jobs.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	token := protocol.NewToken()
	release, ok := j.hold(id, token)
	if !ok {
		return nil, nil, protocol.ErrLost
	}
	claim, err := j.records.Claim(ctx, job, hostname(), token)
	if err != nil {
		release(protocol.NotLeft(err))
	}
	return claim, release, err
}

// hold marks a claim as one of a program of this machine. Without a state folder that can be written it
// goes without: then others learn of the end of a killed program later.
func (j jobs) hold(job, token string) (release func(settled bool), ok bool) {
	release, ok, err := j.state.HoldJob(job, token)
	if err != nil {
		j.log.Warn("the sync job is not marked in the state folder", report.Job, job, report.Err, err.Error())
		return func(bool) {}, true
	}
	return release, ok
}

// attend runs a job that was claimed, or ends it where what came of it is an error already, and writes what came of it.
func (j jobs) attend(ctx context.Context, claim *protocol.Claim, w *work, o *ran) {
	counters := &report.Counters{}
	counts := func() protocol.Counts {
		n := counters.Snapshot()
		return protocol.Counts{Indexed: n.Created + n.Updated, Deleted: n.Deleted, Bytes: n.Bytes}
	}
	o.Job = claim.Job.ID
	if o.Err == nil {
		_ = claim.Run(ctx, counts, func(ctx context.Context) error {
			j.one(ctx, w, o, attended{fence: claim.Fence, counters: counters})
			return o.Err
		})
	}
	e := o.ending(j.o)
	e.Counts = counts()
	if err := claim.Finish(ctx, e); err != nil && !errors.Is(o.Err, protocol.ErrTaken) {
		if errors.Is(o.Err, protocol.ErrCanceled) {
			o.Err = nil // which is no failure, unlike what follows
		}
		o.Err = errors.Join(o.Err, fmt.Errorf("write the end of sync job %q: %w", claim.Job.ID, err))
	}
}

// ending is what Kibana is told of a run.
func (o *ran) ending(opt *Options) protocol.Ending {
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
		e.Event, e.Error = protocol.JobEventFail, strings.Join(o.remarks(opt), "; ")
		if o.watch != nil && len(o.watch.failures) > 0 {
			e.Error = (&placedError{o.watch.failures[0]}).Error() + "; " + e.Error
		}
	default:
		e.Details.Note = strings.Join(o.remarks(opt), "; ")
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
