package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// closer compares documents with their copies in the index field by field, where no digest can: what
// Elasticsearch shows of a vector differs from what it was sent by a rounding, and a pipeline adds fields
// that the source does not bring. The copies are read from the point in time, some at a time.
type closer struct {
	r       *run
	pending batch
}

// judges reports whether a change is one that only the copy can settle: a document of which all but the
// vectors is unchanged, or one whose copy has been through a pipeline.
func (d *closer) judges(c *plan.Change) bool {
	o := &d.r.options
	switch {
	case o.Compare != plan.ByContent || c.Source == nil:
		return false
	case c.Kind == plan.Keep:
		return o.Vector != nil && c.Reason == plan.Unchanged
	}
	return c.Kind == plan.Update && c.Reason == plan.ContentDiffers && o.Pipeline
}

// add takes a document that is kept if it is the same as its copy, and updated otherwise.
func (d *closer) add(ctx context.Context, c plan.Change) error {
	return d.pending.add(c, func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// flush compares what is left.
func (d *closer) flush(ctx context.Context) error {
	return d.pending.drain(func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// compare reads the copies of documents and brings those on their way that differ.
func (d *closer) compare(ctx context.Context, changes map[string]plan.Change) error {
	list := slices.Sorted(maps.Keys(changes))
	same := map[string]bool{}
	err := d.r.scanIDs(ctx, list, func(h elastic.Hit) error {
		differ, err := d.r.differing(h.Source, changes[h.ID].Source)
		same[h.ID] = err == nil && len(differ) == 0
		return err
	})
	if err != nil {
		return fmt.Errorf("compare with the index: %w", err)
	}
	for _, id := range list {
		c := changes[id]
		if same[id] {
			c.Kind, c.Reason = plan.Keep, plan.Unchanged
			d.r.tell(c)
			continue
		}
		c.Kind, c.Reason = plan.Update, plan.ContentDiffers
		if c.Grant, err = d.r.budget.Acquire(ctx, int64(len(c.Source)+len(c.ID)+overhead)); err != nil {
			return fmt.Errorf("update %q: %w", id, err)
		}
		if err := d.r.sink.Apply(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// differing lists the top-level fields in which a document differs from its copy, in the order of their
// names. What every run writes anew is left out, and what a pipeline may have added.
func (r *run) differing(held, sent []byte) ([]report.Field, error) {
	o := &r.options
	return differing(held, sent, func(name string, before, after json.RawMessage) bool {
		switch {
		case after == nil && o.Pipeline, o.Ignore != nil && o.Ignore(name):
			return true
		case o.Vector != nil && o.Vector(name) && before != nil && after != nil:
			return document.SameVector(before, after)
		}
		return sameJSON(before, after)
	})
}
