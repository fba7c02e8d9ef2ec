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

// cleanupTime is how long deleting an unfinished index may take after the run has ended.
const cleanupTime = 30 * time.Second

// Rebuild fills a new index and then lets the name of the old one stand for it: this is how an index gets the
// mapping that a new one has. Until the swap, which is one step, the old index is not touched. The new index must
// hold all documents of a complete run, and the delete guard must agree if it holds fewer than the old one. Otherwise
// the new index is deleted, and the result says why. If the index does not exist, Rebuild is [Run].
func Rebuild(ctx context.Context, job Job, deps Deps) (Result, error) {
	c := deps.Client
	info, err := c.Await(ctx, deps.Await, func(err error) {
		deps.Log.Warn("Elasticsearch does not respond yet", report.Err, err.Error())
	})
	if err != nil {
		return Result{Index: job.Index}, err
	}
	old, err := c.Index(ctx, job.Index)
	if errors.Is(err, elastic.ErrNotFound) {
		return Run(ctx, job, deps)
	}
	if err == nil {
		err = mayRebuild(&job, old)
	}
	if err != nil {
		return Result{Index: job.Index}, err
	}
	unlock, waited, err := deps.Lock(ctx, info.UUID, old.Name)
	if err != nil {
		return Result{Index: old.Name}, err
	}
	defer unlock()
	if waited { // another run may have marked the index, or put another one behind the name
		now, err := c.Index(ctx, job.Index)
		switch {
		case err == nil && now.Name != old.Name:
			err = fmt.Errorf("index %q: %w: run again", old.Name, ErrReplaced)
		case err == nil:
			old, err = now, mayRebuild(&job, now)
		}
		if err != nil {
			return Result{Index: old.Name}, err
		}
	}
	r := &rebuilding{job: job, deps: deps, old: old}
	res, err := r.fill(ctx)
	if err == nil && r.complete(&res) {
		if err = r.replace(ctx, &res); err == nil && res.Replaced != "" {
			return res, nil
		}
	}
	res.Index = old.Name
	return res, errors.Join(err, r.remove(ctx))
}

// mayRebuild refuses an index that this connector does not own.
func mayRebuild(job *Job, ix *elastic.Index) error {
	if err := job.mayHold(ix); err != nil {
		return err
	}
	if ix.Marker.Owner != job.Owner {
		return fmt.Errorf("index %q %w or to no one: sync it first", ix.Name, ErrForeign)
	}
	return nil
}

// rebuilding is a new index on its way to replace an old one.
type rebuilding struct {
	job  Job
	deps Deps
	old  *elastic.Index
	name string // of the new index
	made bool
}

// fill runs the job into a new index.
func (r *rebuilding) fill(ctx context.Context) (Result, error) {
	r.name = fmt.Sprintf("%s-%s", r.job.Index, r.deps.Now().UTC().Format("20060102150405"))
	if _, err := r.deps.Client.Index(ctx, r.name); !errors.Is(err, elastic.ErrNotFound) {
		return Result{}, errors.Join(fmt.Errorf("index %q already exists: run again", r.name), err)
	}
	loading, err := elastic.NewCreation(elastic.LoadSettings, nil)
	if err != nil {
		return Result{}, err
	}
	job := r.job
	job.Index, job.Create = r.name, loading.Over(job.Create, nil)
	r.made = true
	return Run(ctx, job, r.deps)
}

// complete reports whether a run may replace the old index: it read everything and wrote it.
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
	if fewer := held - holds; fewer > 0 && !r.guardAllows(fewer, held) {
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
		return err
	}
	r.made = false // it is in use now
	res.Replaced = r.old.Name
	return nil
}

// guardAllows is the delete guard for the documents that only the old index has.
func (r *rebuilding) guardAllows(fewer, held int64) bool {
	if limit := r.job.Guard.Confirmed; limit >= 0 {
		return fewer <= limit
	}
	return fewer <= r.job.Guard.Deletes || float64(fewer) <= r.job.Guard.Percent/100*float64(held)
}

// remove deletes the new index of a rebuild that did not reach its end.
func (r *rebuilding) remove(ctx context.Context) error {
	if !r.made {
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
