package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// A run is values that are handed on. Each step makes one of them from the one before it, changes only that, and has
// the methods that need no more than it holds:
//
//	task         the job, and what the program provides
//	destination  the index, as it was found or created
//	prepared     how documents are made and compared, and what the source says of itself
//	scanned      what the index holds, and whose it is
//	reading      the source, as far as it was read
//	deleting     the decision about documents that the source no longer holds
//
// Beside them are writing, where changes go, and outcome, where every step notes what came of it.

// task is what every step of a run has: the job, what the program provides, when the run began, and where to note what
// came of it.
type task struct {
	job     Job
	deps    Deps
	rules   *rules.Set
	started time.Time
	outcome *outcome
}

func newTask(job Job, deps Deps, set *rules.Set) *task {
	return &task{
		job: job, deps: deps, rules: set, started: deps.Now(),
		outcome: &outcome{res: Result{Index: job.Index, Withheld: map[plan.Reason]int64{}}},
	}
}

func (t *task) phase(name string) { t.deps.Observer.Phase(name, t.deps.Now().Sub(t.started)) }

// limited is ctx, but that it ends with the time limit as well: who waits for an answer waits no longer
// than that.
func (t *task) limited(ctx context.Context) (context.Context, func()) {
	limited, stop := context.WithCancelCause(ctx)
	if t.deps.Until == nil {
		return limited, func() { stop(nil) }
	}
	over := context.AfterFunc(t.deps.Until, func() { stop(ErrTimeIsUp) })
	return limited, func() {
		over()
		stop(nil)
	}
}

// inTime makes of an error of reaching another machine one of the time limit, where that ended it.
func (t *task) inTime(ctx context.Context, err error) error {
	if t.deps.Until == nil || t.deps.Until.Err() == nil || ctx.Err() != nil || errors.Is(err, ErrTimeIsUp) {
		return err
	}
	return fmt.Errorf("%w: it ended before everybody was reached: %s", ErrTimeIsUp, err.Error())
}

// ours is asked before anything is written. Its error, that the run is no longer wanted, ends the run.
func (t *task) ours(ctx context.Context) error {
	if t.deps.Fence == nil {
		return nil
	}
	return t.deps.Fence(ctx)
}

// partFailed notes that a part, or the list of parts, was not read to its end.
func (t *task) partFailed(part, scope string, err error) {
	t.outcome.fail(err)
	t.deps.Observer.Failed(report.Failure{Part: part, Scope: scope, Err: err})
}

// result is what the run came to so far.
func (t *task) result() Result {
	o := t.outcome
	o.mu.Lock()
	defer o.mu.Unlock()
	res := o.res
	res.Counts, res.Late = t.deps.Counters.Snapshot(), o.late != nil
	return res
}

// outcome is what a run came to, as far as counters do not say it.
type outcome struct {
	mu        sync.Mutex
	res       Result // without what task.result adds
	temporary error  // the first failure of the source that may pass
	late      error  // what the time limit left to the next run; set once all parts were read
}

// fail notes that something was not read to its end.
func (o *outcome) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Failed++
	if o.temporary == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
		o.temporary = err
	}
}

// withhold notes deletes that are not done.
func (o *outcome) withhold(reason plan.Reason, n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Withheld[reason] += n
}

// withholdRest notes as not done what of so many deletes was not noted yet, and returns how many that are.
func (o *outcome) withholdRest(reason plan.Reason, n int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, count := range o.res.Withheld {
		n -= count
	}
	if n <= 0 {
		return 0
	}
	o.res.Withheld[reason] += n
	return n
}

// extracted notes how content becomes text, once there is some.
func (o *outcome) extracted(way extract.Way) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Extraction = way
}

// note notes something else. No other goroutine may read or note the same.
func (o *outcome) note(do func(*Result)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(&o.res)
}
