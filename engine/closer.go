package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// closer compares documents with their copies in the index field by field, where a digest cannot: Elasticsearch
// returns vectors rounded, and a pipeline adds fields that the source does not have. It reads the copies from the
// point in time, in batches.
type closer struct {
	scanned *scanned
	writing *writing
	pending batch
}

// add takes a document that is kept if it equals its copy, and updated otherwise.
func (d *closer) add(ctx context.Context, c plan.Change) error {
	return d.pending.add(c, func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// flush compares the remaining documents.
func (d *closer) flush(ctx context.Context) error {
	return d.pending.drain(func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// compare reads the copies of documents and sends the documents that differ.
func (d *closer) compare(ctx context.Context, changes map[string]plan.Change) error {
	list := slices.Sorted(maps.Keys(changes))
	same := map[string]bool{}
	err := d.scanned.view.scanIDs(ctx, list, func(h elastic.Hit) error {
		differ, err := d.scanned.differing(h.Source, changes[h.ID].Source)
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
			d.scanned.settled(c)
			continue
		}
		c.Kind, c.Reason = plan.Update, plan.ContentDiffers
		if c.Grant, err = d.writing.budget.Acquire(ctx, int64(len(c.Source)+len(c.ID)+overhead)); err != nil {
			return fmt.Errorf("update %q: %w", id, err)
		}
		if err := d.writing.sink.Apply(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
