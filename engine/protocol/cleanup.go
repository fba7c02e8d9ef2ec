package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// maxLost is how often a job is resumed after its program vanished. A job that crashes its program each
// time must not be started forever.
const maxLost = 3

// cleanup ends or resumes orphaned jobs: those whose program vanished, those that were canceled before a
// program started them, and those of deleted connectors. It touches only the indices of the records.
func (p *Poller) cleanup(ctx context.Context, scope []Record[Connector]) error {
	s := p.Store
	open, err := s.findJobs(ctx, terms("status", []JobStatus{JobPending, JobInProgress, JobCanceling, JobSuspended}))
	if err != nil {
		return err
	}
	served := map[string]*Record[Connector]{}
	for i := range scope {
		served[scope[i].ID] = &scope[i]
	}
	for _, job := range open {
		id := job.Body.Connector.ID
		if c := served[id]; c != nil {
			err = p.mend(ctx, job, c)
		} else {
			err = p.dropOrphan(ctx, job)
		}
		switch {
		case err == nil, errors.Is(err, ErrLost), errors.Is(err, elastic.ErrNotFound): // or it was removed in the meantime
		case ofAll(ctx, err):
			return fmt.Errorf("clean up sync job %q: %w", job.ID, err)
		default: // one bad record does not block the others
			s.log.Warn("cannot clean up a sync job", report.Job, job.ID, report.Err, err.Error())
		}
	}
	return nil
}

// mend cleans up an orphaned job that still has a live status.
func (p *Poller) mend(ctx context.Context, job Record[Job], c *Record[Connector]) error {
	j := &job.Body
	if !j.Status.Live() {
		return nil
	}
	unbegun := j.Status == JobCanceling && j.StartedAt.IsZero()
	if !unbegun && !p.Store.idle(j) && !p.Dead(job.ID, j.Metadata.Details().Claim) {
		return nil
	}
	text := fmt.Sprintf("the program that ran this job on %q was terminated, or lost its connection, at about %s",
		string(j.WorkerHostname), j.LastSeen.Format(time.RFC3339))
	seen := j.LastSeen
	ended, err := p.Store.Jobs.Update(ctx, job, func(j *Job) error {
		if !j.LastSeen.Equal(seen.Time) {
			return ErrLost // it is alive after all, or another program has handled it
		}
		event, details := JobEventSuspend, j.Metadata.Details()
		if j.Status != JobCanceling {
			details.Lost++
		}
		switch {
		case j.Status == JobCanceling:
			event, text = JobEventCancel, ""
		case details.Lost >= maxLost:
			event = JobEventFail
			text += fmt.Sprintf(", like %d programs before it; the job is not started again", details.Lost-1)
		}
		next, ok := NextJob(j.Status, event)
		if !ok {
			return ErrLost
		}
		details.Claim = ""
		j.Metadata = j.Metadata.with(details)
		end(j, next, TimeOf(p.Store.now()), text)
		return nil
	})
	if err != nil {
		return err
	}
	p.Log.Warn("ended an orphaned sync job", report.Job, job.ID, "status", string(ended.Body.Status))
	return p.Store.conclude(ctx, *c, ended, nil)
}

// dropOrphan ends a job of a deleted connector. A live one ends by itself.
func (p *Poller) dropOrphan(ctx context.Context, job Record[Job]) error {
	c, err := p.Store.Connectors.Get(ctx, job.Body.Connector.ID)
	switch {
	case err == nil && !bool(c.Body.Deleted): // served by another program
		return nil
	case err != nil && !errors.Is(err, elastic.ErrNotFound):
		return err
	case job.Body.Status.Live() && !p.Store.idle(&job.Body):
		return nil
	}
	p.Log.Warn("ended a sync job of a deleted connector", report.Job, job.ID, report.Connector, job.Body.Connector.ID)
	return p.Store.failJob(ctx, job, JobEventFail, "the connector of this job was deleted")
}
