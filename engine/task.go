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

// A run is a chain of values. Each step builds one of them from the one before it, changes only that one, and has
// only the methods that need no more than it holds:
//
//	task         the job, and what the program provides
//	destination  the index, as it was found or created
//	prepared     how documents are built and compared, and what the source describes
//	scanned      the content of the index, and its owner
//	reading      the source, as far as it has been read
//	deleting     the decision about documents that are no longer in the source
//
// There are also writing, which receives the changes, and outcome, in which every step records its results.

// task is what every step of a run needs: the job, what the program provides, the start of the run, and the
// outcome to record results in.
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

// limited is ctx that also ends with the time limit: waiting for a response stops then.
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

// inTime turns an error in reaching another machine into one of the time limit, if that ended it.
func (t *task) inTime(ctx context.Context, err error) error {
	if t.deps.Until == nil || t.deps.Until.Err() == nil || ctx.Err() != nil || errors.Is(err, ErrTimeIsUp) {
		return err
	}
	return fmt.Errorf("%w: it ended before the source and the destination responded: %s", ErrTimeIsUp, err.Error())
}

// inOrder reports whether parts are read one after the other, because several may have the same id.
func (t *task) inOrder() bool {
	shared := t.job.Type.SharedIDs
	return shared != nil && shared(t.job.Values)
}

// ours is called before anything is written. An error means that the run must no longer write, and ends it.
func (t *task) ours(ctx context.Context) error {
	if t.deps.Fence == nil {
		return nil
	}
	return t.deps.Fence(ctx)
}

// partFailed records that a part, or the list of parts, was not read completely.
func (t *task) partFailed(part, scope string, err error) {
	t.outcome.fail(err)
	t.deps.Observer.Failed(report.Failure{Part: part, Scope: scope, Err: err})
}

// result is the result of the run so far.
func (t *task) result() Result {
	o := t.outcome
	o.mu.Lock()
	defer o.mu.Unlock()
	res := o.res
	res.Counts, res.Late = t.deps.Counters.Snapshot(), o.late != nil
	return res
}

// outcome is the results of a run that counters do not cover.
type outcome struct {
	mu        sync.Mutex
	res       Result // without the fields that task.result adds
	temporary error  // the first temporary failure of the source
	late      error  // what the time limit left to the next run; set after all parts were read
}

// fail records that something was not read completely.
func (o *outcome) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Failed++
	if o.temporary == nil && (errors.Is(err, source.ErrTemporary) || errors.Is(err, source.ErrUnreachable)) {
		o.temporary = err
	}
}

// holdBack records deletes that are held back.
func (o *outcome) holdBack(reason plan.Reason, n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Withheld[reason] += n
}

// holdBackRest records the rest of n deletes as held back, and returns how many were not recorded yet.
func (o *outcome) holdBackRest(reason plan.Reason, n int64) int64 {
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

// extracted records how content becomes text, once there is content.
func (o *outcome) extracted(way extract.Way) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.res.Extraction = way
}

// note records another result. No other goroutine may read or record the same field.
func (o *outcome) note(do func(*Result)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(&o.res)
}
