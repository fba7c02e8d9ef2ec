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

// lostError says why the work of a job is no longer wanted.
type lostError struct{ text string }

func (e *lostError) Error() string { return e.text }

// Drops marks an error after which documents already read are not written.
func (e *lostError) Drops() {}

// Causes that end a job early.
var (
	// ErrCanceled is the cause of a run whose job a user canceled.
	ErrCanceled error = &lostError{"the sync job was canceled"}
	// ErrTaken is the cause of a run whose job no longer belongs to this program: it was taken over or deleted.
	ErrTaken error = &lostError{"another program has taken over the sync job, or it was deleted"}
	// ErrDeleted is the cause of a run whose connector was deleted.
	ErrDeleted error = &lostError{"the connector was deleted"}
)

const (
	lookEvery = 5 * time.Second // how soon a run notices that it must end
	looksBeat = 2               // number of checks for each heartbeat

	// fenceAfter is how old the last successful check and the last heartbeat may be at the time of a
	// write. Other programs take over a job after five minutes without a heartbeat, so a program that
	// has slept, or could not write one, checks before each request.
	fenceAfter = 60 * time.Second

	// finalPatience limits the last writes of a run whose context has ended.
	finalPatience = 30 * time.Second

	// countPatience limits the counting of an index's documents. An index with unassigned shards does
	// not respond; its job ends without the count.
	countPatience = 5 * time.Second
)

// Counts are what a job reports about its run so far.
type Counts struct {
	Indexed, Deleted int64
	Bytes            int64 // of the documents sent
}

func (c Counts) fill(j *Job) {
	j.IndexedDocumentCount, j.DeletedDocumentCount = bounded(c.Indexed), bounded(c.Deleted)
	j.IndexedDocumentVolume = bounded((c.Bytes + 1<<19) >> 20)
}

// bounded keeps a number within the field's 32 bits.
func bounded(n int64) Count { return Count(min(n, 1<<31-1)) }

// pulse is when something last succeeded, by this machine's clock.
type pulse struct {
	mu   sync.Mutex
	last time.Time
}

func (p *pulse) beat(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = now
}

// age is how long ago that was, by the larger of two clocks: the monotonic one stops on many systems while
// the machine sleeps, and the other one can be set. If it was set back, it says nothing, so the answer is
// "long ago".
func (p *pulse) age(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wall := now.Round(0).Sub(p.last.Round(0))
	if wall < 0 {
		return math.MaxInt64
	}
	return max(now.Sub(p.last), wall)
}

// Run does the job while it reports its progress and checks whether it must end. counts is called now and
// then from another goroutine. The context of do ends with [ErrCanceled], [ErrTaken] or
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

// watch checks the records until ctx ends, and then returns nil, or until the job must end, and
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
			c.store.clock.set(ctx, c.store.log) // this machine's clock may have been set
			err = c.saveProgress(ctx, counts())
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrCanceled), errors.Is(err, ErrTaken), errors.Is(err, ErrDeleted):
			return err
		case err != nil: // if this lasts, the fence stops writes
			c.store.log.Warn("cannot update the sync job at the moment", report.Job, c.Job.ID, report.Err, err.Error())
		}
	}
}

// look reports why the job must end, or nil.
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

// ours reports why a job no longer belongs to this claim, or nil.
func (c *Claim) ours(j *Job) error {
	switch {
	case j.Metadata.Details().Claim != c.token:
		return fmt.Errorf("sync job %q is running on %q: %w", c.Job.ID, string(j.WorkerHostname), ErrTaken)
	case j.Status == JobCanceling:
		return ErrCanceled
	case j.Status != JobInProgress:
		return fmt.Errorf("sync job %q is %s: %w", c.Job.ID, j.Status, ErrTaken)
	}
	return nil
}

// saveProgress saves the job's progress, and its heartbeat.
func (c *Claim) saveProgress(ctx context.Context, counts Counts) error {
	began := c.store.clock.machine()
	err := c.write(ctx, counts)
	if err == nil {
		c.saved.beat(began)
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

// Fence returns why this program must stop writing, or nil. It sends a request if the last successful check
// was a while ago, and each time while no heartbeat can be written: others may take over the job any moment.
func (c *Claim) Fence(ctx context.Context) error {
	now := c.store.clock.machine()
	if c.seen.age(now) <= fenceAfter && c.saved.age(now) <= fenceAfter {
		return nil
	}
	return c.look(ctx)
}

// Ending is how a run ended.
type Ending struct {
	Event   JobEvent // JobEventComplete, JobEventFail, JobEventCancel or JobEventSuspend
	Error   string   // for people; "" if nothing is wrong
	Counts  Counts
	Details Details
	// Cursor is the position in the source's changes that the index has stored; nil leaves the connector's
	// unchanged.
	Cursor Raw
}

// Finish writes the end of the run into the job and then into the connector, even if ctx has
// ended. A job of another program is left unchanged: then the error is [ErrTaken].
func (c *Claim) Finish(ctx context.Context, e Ending) error {
	ctx = context.WithoutCancel(ctx)
	total := c.total(ctx)
	ctx, cancel := context.WithTimeout(ctx, finalPatience)
	defer cancel()
	now := TimeOf(c.store.now())
	job, err := c.store.Jobs.Get(ctx, c.Job.ID) // a user may have canceled it
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
		if !ok { // a user canceled it in the last moment
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

// total is how many documents the job's content index holds; nil if that is unknown.
func (c *Claim) total(ctx context.Context) *Count {
	index := string(c.Job.Body.Connector.IndexName) // the connector may have another one by now
	if c.Job.Body.JobType == JobAccessControl {
		index = string(c.Connector.Body.IndexName)
	}
	if indexname.Problem(index) != "" { // the request would reach other indices
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countPatience)
	defer cancel()
	if err := c.store.refresh(ctx, index); err != nil {
		return nil
	}
	n, err := c.store.client.Count(ctx, index)
	if err != nil {
		c.store.log.Debug("cannot count the documents of the index", report.Index, index, report.Err, err.Error())
		return nil
	}
	count := bounded(n)
	return &count
}

// conclude writes the outcome of a job into its connector. If another job of the family has started
// since, that one's state stays. cursor is the position that the job has stored; nil means none.
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

// concludes sets the connector's fields about its last job.
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

// repair sets the status of a connector that claims a running job, although there is none, to that of its last job.
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
		case len(last) == 0 || last[0].Body.Status == JobInProgress: // it is orphaned, and handled when it is found
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
