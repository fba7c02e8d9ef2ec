package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// maxLost is how often a job is resumed whose program vanished. One that brings its program down each
// time must not be begun for ever.
const maxLost = 3

// cleanup ends or resumes jobs that nobody runs: those whose program vanished, those that were canceled
// before anybody began them, and those of connectors that are gone. It touches no index but those of the
// records.
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
		case err == nil, errors.Is(err, ErrLost), errors.Is(err, elastic.ErrNotFound): // or somebody removed it
		case ofAll(ctx, err):
			return fmt.Errorf("clean up sync job %q: %w", job.ID, err)
		default: // one bad record does not keep the others from their turns
			s.log.Warn("a sync job could not be cleaned up", report.Job, job.ID, report.Err, err.Error())
		}
	}
	return nil
}

// mend deals with a job that nobody runs though it looks so.
func (p *Poller) mend(ctx context.Context, job Record[Job], c *Record[Connector]) error {
	j := &job.Body
	if !j.Status.Live() {
		return nil
	}
	unbegun := j.Status == JobCanceling && j.StartedAt.IsZero()
	if !unbegun && !p.Store.idle(j) && !p.Dead(job.ID, j.Metadata.Details().Claim) {
		return nil
	}
	text := fmt.Sprintf("the program that ran this job on %q was ended, or lost its connection, at about %s",
		string(j.WorkerHostname), j.LastSeen.Format(time.RFC3339))
	seen := j.LastSeen
	ended, err := p.Store.Jobs.Update(ctx, job, func(j *Job) error {
		if !j.LastSeen.Equal(seen.Time) {
			return ErrLost // it is alive after all, or somebody has dealt with it
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
			text += fmt.Sprintf(", as had happened to %d programs before it; it is not begun again", details.Lost-1)
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
	p.Log.Warn("a sync job that nobody ran was ended", report.Job, job.ID, "status", string(ended.Body.Status))
	return p.Store.conclude(ctx, *c, ended, nil)
}

// dropOrphan ends a job whose connector is gone. One that is alive ends by itself.
func (p *Poller) dropOrphan(ctx context.Context, job Record[Job]) error {
	c, err := p.Store.Connectors.Get(ctx, job.Body.Connector.ID)
	switch {
	case err == nil && !bool(c.Body.Deleted): // somebody else's affair
		return nil
	case err != nil && !errors.Is(err, elastic.ErrNotFound):
		return err
	case job.Body.Status.Live() && !p.Store.idle(&job.Body):
		return nil
	}
	p.Log.Warn("a sync job of a connector that is gone was ended", report.Job, job.ID, report.Connector, job.Body.Connector.ID)
	return p.Store.failJob(ctx, job, JobEventFail, "the connector of this job was deleted")
}
