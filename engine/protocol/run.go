package protocol

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/indexname"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// lostError is why the work of a job is no longer wanted.
type lostError struct{ text string }

func (e *lostError) Error() string { return e.text }

// Drops says that what was read is not to be written.
func (e *lostError) Drops() {}

// Why a job ends before it has come to its end.
var (
	// ErrCanceled is the cause of a run that somebody asked to end.
	ErrCanceled error = &lostError{"the sync job was canceled"}
	// ErrTaken is the cause of a run whose job is no longer this program's: it was taken for idle, or deleted.
	ErrTaken error = &lostError{"the sync job is no longer ours"}
	// ErrDeleted is the cause of a run whose connector was deleted.
	ErrDeleted error = &lostError{"the connector was deleted"}
)

const (
	lookEvery = 5 * time.Second // how soon a run sees that it is to end
	looksBeat = 2               // every so many looks the job is told that it is alive

	// fenceAfter is how old the last good look, and the last sign of life that was written, may be when
	// something is written. Others take a job for idle after five minutes without such a sign, so one who
	// has slept, or could not write it, asks before each request.
	fenceAfter = 60 * time.Second

	// finalPatience is how long the last words of a run may take, when its context has ended.
	finalPatience = 30 * time.Second

	// countPatience is how long the documents of an index may take to be counted. One with shards that are
	// not assigned does not answer; its job ends without the number.
	countPatience = 5 * time.Second
)

// Counts are what a job tells of its run so far.
type Counts struct {
	Indexed, Deleted int64
	Bytes            int64 // of documents that were sent
}

func (c Counts) fill(j *Job) {
	j.IndexedDocumentCount, j.DeletedDocumentCount = bounded(c.Indexed), bounded(c.Deleted)
	j.IndexedDocumentVolume = bounded((c.Bytes + 1<<19) >> 20)
}

// bounded keeps a number within the 32 bits that the field has.
func bounded(n int64) Count { return Count(min(n, 1<<31-1)) }

// pulse is when something last went well, by this machine's clock.
type pulse struct {
	mu   sync.Mutex
	last time.Time
}

func (p *pulse) beat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = now
}

// age is how long ago that was. The larger of two clocks counts: the one that does not jump stands still
// on many systems while the machine sleeps, and the other one may be set. One that was set back says
// nothing, so then it was long ago.
func (p *pulse) age(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wall := now.Round(0).Sub(p.last.Round(0))
	if wall < 0 {
		return math.MaxInt64
	}
	return max(now.Sub(p.last), wall)
}

// Run does the job while it tells how far it is and looks whether it is to end. counts is called now and
// then from another goroutine. The context that do gets ends with [ErrCanceled], [ErrTaken] or
// [ErrDeleted] as its cause, or with that of ctx.
func (c *Claim) Run(ctx context.Context, counts func() Counts, do func(context.Context) error) error {
	running, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { // ends with running
		stop(crash.Guarded(func() error { return c.watch(running, counts) }))
	})
	defer wg.Wait()
	defer stop(nil)
	return do(running)
}

// watch looks after the records until ctx ends, and then returns nil, or until the job is to end, and
// returns why.
func (c *Claim) watch(ctx context.Context, counts func() Counts) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := c.look(ctx)
		if err == nil && n%looksBeat == 0 {
			c.store.clock.set(ctx, c.store.log) // this machine's may have been set
			err = c.tell(ctx, counts())
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrCanceled), errors.Is(err, ErrTaken), errors.Is(err, ErrDeleted):
			return err
		case err != nil: // the fence stops what is written, if it lasts
			c.store.log.Warn("the sync job cannot be looked after at the moment", report.Job, c.Job.ID, report.Err, err.Error())
		}
	}
}

// look reports why the job is to end, or nil.
func (c *Claim) look(ctx context.Context) error {
	job, err := c.store.Jobs.Get(ctx, c.Job.ID)
	if errors.Is(err, elastic.ErrNotFound) {
		return fmt.Errorf("sync job %q was deleted: %w", c.Job.ID, ErrTaken)
	}
	if err == nil {
		err = c.ours(&job.Body)
	}
	if err != nil {
		return err
	}
	connector, err := c.store.Connectors.Get(ctx, c.Connector.ID)
	if errors.Is(err, elastic.ErrNotFound) || err == nil && bool(connector.Body.Deleted) {
		return fmt.Errorf("connector %q: %w", c.Connector.ID, ErrDeleted)
	}
	if err == nil {
		c.seen.beat(c.store.clock.machine())
	}
	return err
}

// ours reports why a job is not this claim's to run, or nil.
func (c *Claim) ours(j *Job) error {
	switch {
	case j.Metadata.Details().Claim != c.token:
		return fmt.Errorf("sync job %q is run by %q: %w", c.Job.ID, string(j.WorkerHostname), ErrTaken)
	case j.Status == JobCanceling:
		return ErrCanceled
	case j.Status != JobInProgress:
		return fmt.Errorf("sync job %q is %s: %w", c.Job.ID, j.Status, ErrTaken)
	}
	return nil
}

// tell writes how far the job is, and so that somebody runs it.
func (c *Claim) tell(ctx context.Context, counts Counts) error {
	began := c.store.clock.machine()
	err := c.write(ctx, counts)
	if err == nil {
		c.told.beat(began)
	}
	return err
}

func (c *Claim) write(ctx context.Context, counts Counts) error {
	now := TimeOf(c.store.now())
	if c.store.api {
		var j Job
		counts.fill(&j)
		return c.store.client.SetJobStats(ctx, c.Job.ID, map[string]any{
			"indexed_document_count": j.IndexedDocumentCount, "deleted_document_count": j.DeletedDocumentCount,
			"indexed_document_volume": j.IndexedDocumentVolume, "last_seen": now,
		})
	}
	_, err := c.store.Jobs.Update(ctx, c.Job, func(j *Job) error {
		if err := c.ours(j); err != nil {
			return err
		}
		counts.fill(j)
		j.LastSeen = now
		return nil
	})
	return err
}

// Fence returns why this program must not write any more, or nil. It asks when the last good look was a
// while ago, and each time while no sign of life can be written: others may take the job any moment.
func (c *Claim) Fence(ctx context.Context) error {
	now := c.store.clock.machine()
	if c.seen.age(now) <= fenceAfter && c.told.age(now) <= fenceAfter {
		return nil
	}
	return c.look(ctx)
}

// Ending is how a run came to its end.
type Ending struct {
	Event   JobEvent // JobEventComplete, JobEventFail, JobEventCancel or JobEventSuspend
	Error   string   // for people; "" when nothing is wrong
	Counts  Counts
	Details Details
	// Cursor is the place in the changes of the source that the index has kept; nil leaves what the
	// connector says.
	Cursor Raw
}

// Finish writes the end of the run into the job and then into the connector. It does so though ctx has
// ended. A job that is no longer ours is left as it is: then the error is [ErrTaken].
func (c *Claim) Finish(ctx context.Context, e Ending) error {
	ctx = context.WithoutCancel(ctx)
	total := c.total(ctx)
	ctx, cancel := context.WithTimeout(ctx, finalPatience)
	defer cancel()
	now := TimeOf(c.store.now())
	job, err := c.store.Jobs.Get(ctx, c.Job.ID) // somebody may have asked for its end
	if err == nil {
		job, err = c.end(ctx, job, e, now, total)
	}
	if errors.Is(err, elastic.ErrNotFound) {
		err = fmt.Errorf("sync job %q was deleted: %w", c.Job.ID, ErrTaken)
	}
	if err != nil && !errors.Is(err, ErrTaken) {
		return err
	}
	c.settled = true
	if err != nil { // the connector must not wait for it
		return errors.Join(err, c.store.repair(ctx, c.Connector, c.Job.Body.JobType))
	}
	c.Job = job
	return c.store.conclude(ctx, c.Connector, job, e.Cursor)
}

// end writes the end of the run into the job.
func (c *Claim) end(ctx context.Context, job Record[Job], e Ending, now Time, total *Count) (Record[Job], error) {
	return c.store.Jobs.Update(ctx, job, func(j *Job) error {
		if err := c.ours(j); err != nil && !errors.Is(err, ErrCanceled) {
			return err
		}
		next, ok := NextJob(j.Status, e.Event)
		if !ok { // somebody canceled it in the last moment
			next, ok = NextJob(j.Status, JobEventCancel)
		}
		if !ok {
			return fmt.Errorf("sync job %q is %s: %w", c.Job.ID, j.Status, ErrTaken)
		}
		end(j, next, now, e.Error)
		e.Counts.fill(j)
		j.TotalDocumentCount = total
		details := e.Details
		details.Type, details.Lost = j.Metadata.Details().Type, 0
		j.Metadata = j.Metadata.with(details)
		return nil
	})
}

// total is how many documents the content index holds that the job wrote into; nil when that cannot be
// told.
func (c *Claim) total(ctx context.Context) *Count {
	index := string(c.Job.Body.Connector.IndexName) // the connector may have another one by now
	if c.Job.Body.JobType == JobAccessControl {
		index = string(c.Connector.Body.IndexName)
	}
	if indexname.Problem(index) != "" { // others would be asked
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countPatience)
	defer cancel()
	if err := c.store.refresh(ctx, index); err != nil {
		return nil
	}
	n, err := c.store.client.Count(ctx, index)
	if err != nil {
		c.store.log.Debug("the documents of the index could not be counted", report.Index, index, report.Err, err.Error())
		return nil
	}
	count := bounded(n)
	return &count
}

// conclude writes what a job came to into its connector. Where another job of the family has begun
// since, that one's state stays. cursor is what the job has kept; nil is nothing.
func (s *Store) conclude(ctx context.Context, c Record[Connector], job Record[Job], cursor Raw) error {
	_, err := s.Connectors.Update(ctx, c, func(b *Connector) error {
		live, err := s.liveJobs(ctx, job.Body.Connector.ID, job.Body.JobType)
		if err != nil {
			return err
		}
		for _, other := range live {
			if other.ID != job.ID {
				return nil
			}
		}
		b.concludes(&job.Body, TimeOf(s.now()))
		if job.Body.Status == JobCompleted && !cursor.IsNull() {
			b.SyncCursor = cursor
		}
		return nil
	})
	if errors.Is(err, elastic.ErrNotFound) {
		return nil
	}
	return err
}

// concludes sets what a connector says of its last job.
func (c *Connector) concludes(j *Job, now Time) {
	status, text := c.lastStatus(j.JobType)
	*status, *text = j.Status, ""
	event := ConnectorEventSucceeded
	if j.Status == JobError {
		event = ConnectorEventFailed
		if *text = j.Error; *text == "" {
			*text = "unknown error"
		}
	}
	if next, ok := NextConnector(c.Status, event); ok {
		c.Status = next
	}
	c.Error, c.LastSynced = *text, now
	if j.Status.Final() {
		c.LastIndexedDocumentCount, c.LastDeletedDocumentCount = j.IndexedDocumentCount, j.DeletedDocumentCount
	}
}

// repair makes a connector that says that a job runs, though none does, say what became of its last job.
func (s *Store) repair(ctx context.Context, c Record[Connector], t JobType) error {
	family := term("job_type", JobAccessControl)
	if t != JobAccessControl {
		family = not(family) // old jobs have no type
	}
	_, err := s.Connectors.Update(ctx, c, func(b *Connector) error {
		status, _ := b.lastStatus(t)
		if *status != JobInProgress {
			return nil
		}
		live, err := s.liveJobs(ctx, c.ID, t)
		if err != nil || len(live) > 0 {
			return err
		}
		last, _, err := s.Jobs.Find(ctx, elastic.Search{
			Query: all(term("connector.id", c.ID), family, exists("started_at")),
			Sort:  []any{map[string]string{"started_at": "desc"}}, Size: 1,
		})
		switch {
		case err != nil:
			return err
		case len(last) == 0 || last[0].Body.Status == JobInProgress: // it is idle, and dealt with when it is found
			*status = ""
		default:
			b.concludes(&last[0].Body, last[0].Body.LastSeen)
		}
		return nil
	})
	if errors.Is(err, elastic.ErrNotFound) {
		return nil
	}
	return err
}
