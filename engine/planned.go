package engine

import (
	"context"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/planfile"
)

// checkPlan refuses a plan that was saved for another index or owner, and begins the plan that a dry run saves.
func (d *destination) checkPlan() error {
	now := planfile.Target{Owner: d.job.Owner, Identity: d.job.identity(), Index: d.index.Name}
	if !d.absent {
		now.UUID = d.index.UUID
	}
	if p := d.job.Plan; p != nil && p.Target != now && !d.continues(p, &now) {
		return fmt.Errorf("%w: %s; save a new plan with `diff --save`", ErrConfig, moved(&p.Target, &now))
	}
	if d.deps.Save == nil {
		return nil
	}
	return d.deps.Save.Begin(now)
}

// continues reports that a plan for an index that did not exist is made again: a run with it was interrupted, or held
// changes back, after it had created the index.
func (d *destination) continues(p *planfile.Plan, now *planfile.Target) bool {
	was := p.Target
	was.UUID = now.UUID
	return p.UUID == "" && was == *now && d.index.Marker.Owner == d.job.Owner && d.sameIdentity()
}

// moved says in which way the target of a plan is another one now.
func moved(was, now *planfile.Target) string {
	switch {
	case was.Owner != now.Owner:
		return fmt.Sprintf("the plan was saved for the connector %q, this is %q", was.Owner, now.Owner)
	case was.Identity != now.Identity:
		return fmt.Sprintf("the plan was saved for the source %q, this is %q", was.Identity, now.Identity)
	case was.Index != now.Index:
		return fmt.Sprintf("the plan was saved for the index %q, this is %q", was.Index, now.Index)
	case was.UUID == "":
		return fmt.Sprintf("the index %q was created after the plan was saved", now.Index)
	case now.UUID == "":
		return fmt.Sprintf("the index %q was deleted after the plan was saved", now.Index)
	}
	return fmt.Sprintf("the index %q was created again after the plan was saved", now.Index)
}

// planned returns the sink of a run with a plan, or of one that saves a plan.
func (d *destination) planned(w *writing) plan.Sink {
	switch {
	case d.job.Plan != nil:
		return &bounded{w.sink, d, w}
	case d.deps.Save != nil:
		return &saving{w.sink, d.deps.Save}
	}
	return w.sink
}

// bounded passes on the creates and updates that a saved plan contains. Deletes are compared with the plan before
// they reach a sink.
type bounded struct {
	plan.Sink

	destination *destination
	writing     *writing
}

// Apply passes on a change, or holds it back.
func (b *bounded) Apply(ctx context.Context, c plan.Change) error {
	if c.Kind != plan.Delete {
		passes, err := b.destination.approves(&c)
		if err != nil || !passes {
			b.writing.budget.Release(c.Grant)
			return err
		}
	}
	return b.Sink.Apply(ctx, c)
}

// approves reports whether the run may make a change. It holds back any other change than those of the plan. A dry
// run also reports the changes whose documents have moved on, and is silent about new ones.
func (d *destination) approves(c *plan.Change) (bool, error) {
	if d.job.Plan == nil {
		return true, nil
	}
	match, err := d.job.Plan.Match(c)
	switch {
	case err != nil:
		return false, err
	case d.job.DryRun:
		return match != planfile.New, nil
	case match == planfile.New:
		d.holdBack(plan.NotInPlan, *c)
	case match == planfile.Moved:
		d.holdBack(plan.MovedSincePlan, *c)
	}
	return match == planfile.Same, nil
}

// saving saves the changes of a dry run.
type saving struct {
	plan.Sink

	to *planfile.Writer
}

// Apply saves a change and passes it on.
func (s *saving) Apply(ctx context.Context, c plan.Change) error {
	if err := s.to.Add(&c); err != nil {
		return err // the run ends, and with it its budget
	}
	return s.Sink.Apply(ctx, c)
}
