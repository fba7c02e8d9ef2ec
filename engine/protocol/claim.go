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
	token   string // distinguishes this claim from others
	seen    pulse  // the last check that found the records to be ours
	saved   pulse  // the last heartbeat written into the job
	settled bool   // the records say that the job has ended
}

// Settled reports whether the records say that the claim has ended, or that it is no longer this
// program's. Otherwise a later cleanup has to discover that the job is orphaned.
func (c *Claim) Settled() bool { return c.settled }

// errLeft means that a job looks as if this program were running it, although it is not.
var errLeft = errors.New("the sync job could not be released")

// Claim takes a pending or suspended job. Both the job and its connector's start are conditional writes:
// if several programs try concurrently, one runs the job, and a connector runs one job of a family at a
// time. The error is [ErrLost] if another program was first. host is the machine's name.
//
// The job is claimed first: a program that is killed in between leaves a job that is recognized as
// orphaned after a while, never a connector that waits for a job that is not running. token, from
// [NewToken], distinguishes the claim from others.
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
			return nil // the response to this very claim was lost
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
	c.saved.beat(began)
	if c.Connector, err = s.start(ctx, connector, c.Job); err != nil {
		return nil, errors.Join(err, c.giveBack(ctx))
	}
	return c, nil
}

// NewToken returns a token that distinguishes one claim from all others.
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
			return fmt.Errorf("%s: %w", runs(&other), ErrLost)
		}
	}
	return nil // the program that set this status did not finish
}

// liveJobs lists the running jobs of a connector in the family of a type.
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

// runs says that a job is running, where and since when.
func runs(j *Record[Job]) string {
	text := fmt.Sprintf("sync job %q of the same connector is running", j.ID)
	if host := string(j.Body.WorkerHostname); host != "" {
		text += fmt.Sprintf(" on %s", host)
	}
	if since := j.Body.StartedAt; !since.IsZero() {
		text += " since " + since.UTC().Format(time.RFC3339)
	}
	return text
}

// start records in the connector that one of its jobs is running.
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

// giveBack releases a claimed job for other programs. A pending job becomes suspended, which can be
// claimed as well.
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

// outdated reports whether a suspended job, which may have run for a while, was created with other rules
// or another configuration than the connector has now.
func (s *Store) outdated(j *Job, c *Connector) bool {
	now := NewJob(&Record[Connector]{ID: j.Connector.ID, Body: *c}, j.Type(), j.TriggerMethod, s.version, s.now())
	return !j.Connector.sameAs(&now.Connector)
}

// supersede ends a suspended job and creates a new one with the connector's current settings.
func (s *Store) supersede(ctx context.Context, job Record[Job], c *Record[Connector]) error {
	// The new job comes first, with an id that every program derives from the old one: after a kill, or
	// in a second program, no other job is created.
	next := NewJob(c, job.Body.Type(), job.Body.TriggerMethod, s.version, s.now())
	_, err := s.Jobs.Create(ctx, derivedID("supersedes", job.ID), next)
	if err != nil && !errors.Is(err, elastic.ErrConflict) {
		return err
	}
	return s.failJob(ctx, job, JobEventSupersede, "superseded: the rules or the configuration of the connector have changed since this job began; a new job replaces it")
}

// failJob ends an orphaned job.
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

// end sets a final status.
func end(j *Job, status JobStatus, now Time, text string) {
	j.Status, j.LastSeen, j.Error = status, now, cut(text)
	if status.Final() {
		j.CompletedAt = now
	}
	if status == JobCanceled {
		j.CanceledAt = now
	}
}

// idleAfter is how long a job may go without a heartbeat before it counts as orphaned.
const idleAfter = 5 * time.Minute

// idle reports whether a live job is orphaned.
func (s *Store) idle(j *Job) bool {
	seen := j.LastSeen.Time
	if seen.IsZero() {
		seen = j.CreatedAt.Time
	}
	return s.now().Sub(seen) > idleAfter || fromTheFuture(seen, s.now())
}
