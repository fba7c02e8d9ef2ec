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

// jobs are the sync jobs of connectors of Elasticsearch that this session claims and runs.
type jobs struct{ *session }

// runNamed syncs a connector of Elasticsearch that was named on the command line, as a job that Kibana shows.
func (j jobs) runNamed(ctx context.Context, w *work, o *ran) {
	claim, release, err := j.claimInTime(ctx, w)
	if err != nil {
		o.Err = err
		return
	}
	defer func() { release(claim.Settled()) }()
	j.attend(ctx, claim, w, o)
}

// claimNamed claims a new job of a named connector. Jobs of killed programs are cleaned up first, so that this
// run resumes them and does not wait for a program that no longer exists.
func (j jobs) claimNamed(ctx context.Context, w *work) (*protocol.Claim, func(settled bool), error) {
	own := protocol.Scope{Own: []protocol.Own{{ID: w.record.ID, ServiceType: w.connector.ServiceType}}}
	if err := j.poller(ctx, own).Cleanup(ctx); err != nil {
		return nil, nil, err
	}
	id, created, err := j.records.RunnableJob(ctx, w.record, j.o.Kind)
	if err != nil {
		return nil, nil, busy(err)
	}
	claim, release, err := j.claim(ctx, id)
	if err != nil && created { // a later poll must not run a job that was requested for now
		_, _, cerr := j.records.CancelJob(context.WithoutCancel(ctx), id)
		err = errors.Join(err, cerr)
	}
	return claim, release, busy(err)
}

// busy marks the error of a job that another process was first to claim.
func busy(err error) error {
	if errors.Is(err, protocol.ErrLost) {
		return fmt.Errorf("%w: %w", records.ErrBusy, err)
	}
	return err
}

// claim claims a job.
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

// hold marks a claim in the state folder as held by a program on this machine. If the state folder is not
// writable, there is no mark: then others learn later that this program was killed.
func (j jobs) hold(job, token string) (release func(settled bool), ok bool) {
	release, ok, err := j.state.HoldJob(job, token)
	if err != nil {
		j.log.Warn("cannot mark the sync job in the state folder", report.Job, job, report.Err, err.Error())
		return func(bool) {}, true
	}
	return release, ok
}

// attend runs a claimed job, or ends it if there is already an error, and writes its result to the record.
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
			o.Err = nil // which is not a failure, unlike the next error
		}
		o.Err = errors.Join(o.Err, fmt.Errorf("save the result of sync job %q: %w", claim.Job.ID, err))
	}
}

// ending is the result of a run as Kibana shows it.
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
		e.Event = protocol.JobEventSuspend // the next poll resumes it
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
			e.Details.Note += "; to continue: " + o.Confirm
		}
	}
	return e
}

// placed is the error of a run with the part of the source where it happened, if there was one.
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

// withHint is an error with its hint, for readers who see only the error.
func withHint(err error) string {
	if hint := logs.HintOf(err); hint != "" {
		return err.Error() + " (" + hint + ")"
	}
	return err.Error()
}
