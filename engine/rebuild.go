package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// cleanupTime is how long it may take to find out the result of a swap, and to delete an unfinished index, after the
// run has ended.
const cleanupTime = 30 * time.Second

// Rebuild fills a new index and then lets the name of the old one stand for it: this is how an index gets the
// mapping that a new one has. Until the swap, which is one step, the old index is not touched. First a dry run
// decides what a sync would delete from the old index: documents that it would hold back stop the rebuild. The new
// index must hold all documents of a complete run, and the delete guard must agree if these are fewer than in the old
// one. Otherwise the new index is deleted, and the result says why. If the index does not exist, Rebuild is [Run].
func Rebuild(ctx context.Context, job Job, deps Deps) (Result, error) {
	info, err := deps.Client.Await(ctx, deps.Await, deps.silence(ctx))
	if err != nil {
		return Result{Index: job.Index}, err
	}
	r := &rebuilding{job: job, deps: deps}
	unlock, err := r.lock(ctx, info.UUID)
	if err != nil {
		return Result{Index: job.Index}, err
	}
	defer unlock()
	if r.old == nil {
		return Run(ctx, job, deps)
	}
	res, err := r.rehearse(ctx)
	if err == nil && r.complete(&res) {
		res, err = r.fill(ctx)
		if err == nil && r.complete(&res) {
			err = r.replace(ctx, &res)
		}
	}
	if res.Replaced == "" {
		res.Index = r.old.Name
		res.Counts.Created, res.Counts.Updated, res.Counts.Deleted = 0, 0, 0 // the index has none of it
		err = errors.Join(err, r.remove(ctx))
	}
	return res, err
}

// rebuilding is a new index on its way to replace an old one.
type rebuilding struct {
	job  Job
	deps Deps
	old  *elastic.Index // nil if there is none
	name string         // of the new index, "" before its time
}

// lock finds the old index and excludes other runs from it.
func (r *rebuilding) lock(ctx context.Context, cluster string) (unlock func(), err error) {
	old, err := r.find(ctx)
	if err != nil || old == nil {
		return func() {}, err
	}
	unlock, waited, err := r.deps.Lock(ctx, cluster, old.Name)
	if err != nil {
		return nil, err
	}
	if waited { // another run may have marked the index, or pointed the name to another one
		name := old.Name
		if old, err = r.find(ctx); err == nil && (old == nil || old.Name != name) {
			err = fmt.Errorf("index %q: %w: run again", name, ErrReplaced)
		}
		if err != nil {
			unlock()
			return nil, err
		}
	}
	r.old = old
	return unlock, nil
}

// find looks up the old index; nil if there is none.
func (r *rebuilding) find(ctx context.Context) (*elastic.Index, error) {
	old, err := r.deps.Client.Index(ctx, r.job.Index)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		err = mayRebuild(&r.job, old)
	}
	return old, err
}

// mayRebuild refuses an index that this connector does not own, or that mirrors another source.
func mayRebuild(job *Job, ix *elastic.Index) error {
	if err := job.mayHold(ix); err != nil {
		return err
	}
	switch {
	case ix.Marker.Owner != job.Owner:
		return fmt.Errorf("index %q %w or to no one: sync it first", ix.Name, ErrForeign)
	case !job.sameIdentity(ix):
		return fmt.Errorf("index %q mirrors %s, not %s: it %w until a sync adopts it", ix.Name, ix.Marker.Identity, job.identity(), ErrForeign)
	}
	return nil
}

// rehearse decides what a sync would do to the old index. Its failures are reported, its changes are not.
func (r *rebuilding) rehearse(ctx context.Context) (Result, error) {
	job, deps := r.job, r.deps
	job.DryRun, job.Fields = true, false
	deps.Observer, deps.Counters, deps.Save, deps.Deleted = rehearsed{r.deps.Observer}, &report.Counters{}, nil, nil
	return Run(ctx, job, deps)
}

// rehearsed passes on what a dry run could not read, and what it holds back.
type rehearsed struct{ report.Observer }

func (rehearsed) Read(report.PartRead) {}

func (r rehearsed) Changed(c report.Change) {
	if c.Kind == plan.Withheld.String() {
		r.Observer.Changed(c)
	}
}

// fill runs the job into a new index.
func (r *rebuilding) fill(ctx context.Context) (Result, error) {
	name := elastic.RebuiltName(r.job.Index, r.deps.Now())
	if _, err := r.deps.Client.Index(ctx, name); !errors.Is(err, elastic.ErrNotFound) {
		return Result{}, errors.Join(fmt.Errorf("index %q already exists: run again", name), err)
	}
	job := r.job
	job.Index, job.Create = name, job.Create.ForLoading()
	r.name = name
	return Run(ctx, job, r.deps)
}

// complete reports whether a run may replace the old index: it read everything, and holds nothing back.
func (r *rebuilding) complete(res *Result) bool {
	return !res.Incomplete() && res.WithheldDeletes() == 0 && !res.Late
}

// replace swaps the indices if the new one holds what was written, and the guard agrees.
func (r *rebuilding) replace(ctx context.Context, res *Result) error {
	c := r.deps.Client
	holds, err := c.Count(ctx, r.name)
	if err != nil {
		return err
	}
	if wrote := res.Counts.Created + res.Counts.Updated; holds != wrote {
		return fmt.Errorf("the new index %q holds %d documents, but %d were written: index %q was not replaced", r.name, holds, wrote, r.old.Name)
	}
	held, err := c.Count(ctx, r.old.Name)
	if err != nil {
		return err
	}
	if fewer := held - holds; fewer > 0 && !r.job.Guard.allows(fewer, held) {
		res.Eligible, res.Judged = fewer, held
		res.Withheld[plan.GuardRefused] += fewer
		res.Counts.Withheld += fewer
		return nil
	}
	if err := c.Finish(ctx, r.name, r.old); err != nil {
		return err
	}
	created, err := c.Index(ctx, r.name)
	if err != nil {
		return err
	}
	if r.deps.Fence != nil {
		if err := r.deps.Fence(ctx); err != nil {
			return err
		}
	}
	if now, err := c.Index(ctx, r.job.Index); err != nil || now.UUID != r.old.UUID {
		return errors.Join(fmt.Errorf("index %q: %w: run again", r.job.Index, ErrReplaced), err)
	}
	if err := c.Swap(ctx, r.job.Index, r.old, created); err != nil {
		return r.swapped(ctx, created, err, res)
	}
	res.Replaced = r.old.Name
	return nil
}

// swapped finds out what a swap did whose response is an error: the server may have done it all the same.
func (r *rebuilding) swapped(ctx context.Context, created *elastic.Index, cause error, res *Result) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer stop()
	now, err := r.deps.Client.Index(ctx, r.job.Index)
	switch {
	case err == nil && now.UUID == created.UUID:
		res.Replaced = r.old.Name
		return nil
	case err == nil && now.UUID == r.old.UUID && refused(cause):
		return cause
	}
	r.name = "" // the server may still do it: nothing is deleted
	return errors.Join(fmt.Errorf("it is not known whether %q stands for the new index %q now; if it does not, delete the new one and run again: %w",
		r.job.Index, created.Name, cause), err)
}

// refused reports that the server has responded to a request and did not carry it out.
func refused(err error) bool {
	e, ok := errors.AsType[*elastic.Error](err)
	return ok && e.Status >= 400 && e.Status < 500
}

// remove deletes the new index of a rebuild that did not reach its end. Its name is that of no other run.
func (r *rebuilding) remove(ctx context.Context) error {
	if r.name == "" {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer stop()
	err := r.deps.Client.DeleteIndex(ctx, r.name)
	if errors.Is(err, elastic.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the new index stays, delete it: %w", err)
	}
	r.deps.Log.Warn("the rebuild did not reach its end: the new index was deleted, and the old one is unchanged", report.Index, r.old.Name)
	return nil
}
