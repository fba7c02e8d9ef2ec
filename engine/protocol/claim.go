package protocol

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// Claim is a sync job that this program runs, and its connector.
type Claim struct {
	Job       Record[Job]
	Connector Record[Connector]

	store   *Store
	token   string // tells this claim from any other
	seen    pulse  // when the records were last seen to be ours
	told    pulse  // when it was last written that somebody runs the job
	settled bool   // the records say that it has ended
}

// Settled reports whether the records say that the claim has ended, or that it is no longer this
// program's. Otherwise somebody has to find out that nobody runs the job.
func (c *Claim) Settled() bool { return c.settled }

// errLeft is why a job looks as if this program ran it, though it does not.
var errLeft = errors.New("the sync job could not be given back")

// Claim takes a job that waits. Both the job and its connector's start are guarded, so of many programs
// that try at the same time one runs the job, and a connector runs one job of a family at a time. The
// error is [ErrLost] when somebody else was first. host is the machine's name.
//
// The job is claimed first: a program that is killed in between leaves a job that is visibly nobody's
// after a while, never a connector that waits for a job that does not run. token, from [NewToken], tells
// the claim from any other.
func (s *Store) Claim(ctx context.Context, job Record[Job], host, token string) (*Claim, error) {
	c := &Claim{store: s, token: token}
	started, began := TimeOf(s.now()), s.clock.machine()
	connector, err := s.Connectors.Get(ctx, job.Body.Connector.ID)
	if err != nil {
		return nil, err
	}
	if err := s.free(ctx, &connector.Body, job); err != nil {
		return nil, err
	}
	c.Job, err = s.Jobs.Update(ctx, job, func(j *Job) error {
		details := j.Metadata.Details()
		if details.Claim == c.token {
			return nil // the answer to this very claim was lost
		}
		next, ok := NextJob(j.Status, JobEventClaim)
		if !ok {
			return fmt.Errorf("sync job %q is %s: %w", job.ID, j.Status, ErrLost)
		}
		details.Claim = c.token
		j.Status, j.StartedAt, j.LastSeen, j.WorkerHostname, j.Error = next, started, started, Text(host), ""
		j.Metadata = j.Metadata.with(details)
		if j.JobType == JobIncremental {
			j.Connector.SyncCursor = connector.Body.SyncCursor
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.seen.beat(began)
	c.told.beat(began)
	if c.Connector, err = s.start(ctx, connector, c.Job); err != nil {
		return nil, errors.Join(err, c.giveBack(ctx))
	}
	return c, nil
}

// NewToken makes what tells one claim from any other.
func NewToken() string { return rand.Text() }

// free returns [ErrLost] while another job of the same family runs.
func (s *Store) free(ctx context.Context, c *Connector, job Record[Job]) error {
	if status, _ := c.lastStatus(job.Body.JobType); *status != JobInProgress {
		return nil
	}
	live, err := s.liveJobs(ctx, job.Body.Connector.ID, job.Body.JobType)
	if err != nil {
		return err
	}
	for _, other := range live {
		if other.ID != job.ID {
			return fmt.Errorf("sync job %q of the same connector runs: %w", other.ID, ErrLost)
		}
	}
	return nil // whoever left the connector so has not come to an end
}

// liveJobs are the jobs of a connector that somebody runs, of the family of a type.
func (s *Store) liveJobs(ctx context.Context, connector string, t JobType) ([]Record[Job], error) {
	found, err := s.findJobs(ctx, all(term("connector.id", connector), terms("status", []JobStatus{JobInProgress, JobCanceling})))
	if err != nil {
		return nil, err
	}
	var live []Record[Job]
	for _, j := range found {
		if (j.Body.JobType == JobAccessControl) == (t == JobAccessControl) && !s.idle(&j.Body) {
			live = append(live, j)
		}
	}
	return live, nil
}

// start tells the connector that a job of it runs.
func (s *Store) start(ctx context.Context, c Record[Connector], job Record[Job]) (Record[Connector], error) {
	return s.Connectors.Update(ctx, c, func(b *Connector) error {
		if b.Deleted {
			return fmt.Errorf("connector %q was deleted: %w", c.ID, ErrLost)
		}
		if err := s.free(ctx, b, job); err != nil {
			return err
		}
		status, text := b.lastStatus(job.Body.JobType)
		*status, *text = JobInProgress, ""
		b.Error = ""
		if next, ok := NextConnector(b.Status, ConnectorEventSucceeded); ok {
			b.Status = next
		}
		return nil
	})
}

// giveBack lets somebody else run the job that was claimed. A pending job becomes a suspended one, which
// is claimed as well.
func (c *Claim) giveBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalPatience)
	defer cancel()
	_, err := c.store.Jobs.Update(ctx, c.Job, func(j *Job) error {
		next, ok := NextJob(j.Status, JobEventSuspend)
		if !ok || j.Metadata.Details().Claim != c.token {
			return ErrLost
		}
		details := j.Metadata.Details()
		details.Claim = ""
		j.Status, j.Metadata = next, j.Metadata.with(details)
		return nil
	})
	if err != nil && !errors.Is(err, ErrLost) {
		return fmt.Errorf("%w: %w", errLeft, err)
	}
	return nil
}

// outdated reports whether a job that was suspended, and so may have run for a while, was made of other
// rules or another configuration than the connector has now.
func (s *Store) outdated(j *Job, c *Connector) bool {
	now := NewJob(&Record[Connector]{ID: j.Connector.ID, Body: *c}, j.Type(), j.TriggerMethod, s.version, s.now())
	return !j.Connector.sameAs(&now.Connector)
}

// supersede ends a suspended job and makes a new one of the connector as it is now.
func (s *Store) supersede(ctx context.Context, job Record[Job], c *Record[Connector]) error {
	// First the new one, by an id that anybody derives of the old: whoever is killed in between, or is
	// second, makes no other.
	next := NewJob(c, job.Body.Type(), job.Body.TriggerMethod, s.version, s.now())
	_, err := s.Jobs.Create(ctx, derivedID("supersedes", job.ID), next)
	if err != nil && !errors.Is(err, elastic.ErrConflict) {
		return err
	}
	return s.failJob(ctx, job, JobEventSupersede, "superseded: the rules or the configuration of the connector have changed since this job began; a new job does them")
}

// failJob ends a job that nobody runs.
func (s *Store) failJob(ctx context.Context, job Record[Job], event JobEvent, text string) error {
	_, err := s.Jobs.Update(ctx, job, func(j *Job) error {
		next, ok := NextJob(j.Status, event)
		if !ok {
			return ErrLost
		}
		end(j, next, TimeOf(s.now()), text)
		return nil
	})
	if errors.Is(err, ErrLost) {
		return nil
	}
	return err
}

// end makes a job a final one.
func end(j *Job, status JobStatus, now Time, text string) {
	j.Status, j.LastSeen, j.Error = status, now, cut(text)
	if status.Final() {
		j.CompletedAt = now
	}
	if status == JobCanceled {
		j.CanceledAt = now
	}
}

// idleAfter is how long a job may be unseen before it is taken for one that nobody runs.
const idleAfter = 5 * time.Minute

// idle reports whether nobody runs a live job any more.
func (s *Store) idle(j *Job) bool {
	seen := j.LastSeen.Time
	if seen.IsZero() {
		seen = j.CreatedAt.Time
	}
	return s.now().Sub(seen) > idleAfter || fromTheFuture(seen, s.now())
}
