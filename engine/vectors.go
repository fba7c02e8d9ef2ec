package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// vectors compares the vectors of documents of which all else is unchanged. What Elasticsearch shows of a
// vector differs from what it was sent by a rounding that no digest survives, so the copies are read
// from the point in time, some at a time.
type vectors struct {
	r       *run
	mu      sync.Mutex
	pending map[string]plan.Change // by id, with a copy of their source
	size    int
}

// add takes a document that is kept if its vectors are those of its copy, and updated otherwise.
func (v *vectors) add(ctx context.Context, c plan.Change) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.ID, c.Source = strings.Clone(c.ID), bytes.Clone(c.Source)
	v.pending[c.ID] = c
	v.size += len(c.Source)
	if len(v.pending) >= maxPending || v.size >= maxPendingBytes {
		return v.compare(ctx)
	}
	return nil
}

// flush compares what is left.
func (v *vectors) flush(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.compare(ctx)
}

// compare reads the copies of the pending documents. The lock is held.
func (v *vectors) compare(ctx context.Context) error {
	if len(v.pending) == 0 {
		return nil
	}
	list := slices.Sorted(maps.Keys(v.pending))
	same := map[string]bool{}
	err := v.r.scanIDs(ctx, list, func(h elastic.Hit) (err error) {
		same[h.ID], err = v.sameVectors(h.Source, v.pending[h.ID].Source)
		return err
	})
	if err != nil {
		return fmt.Errorf("compare vectors: %w", err)
	}
	for _, id := range list {
		c := v.pending[id]
		if same[id] {
			v.r.tell(c)
			continue
		}
		c.Kind, c.Reason = plan.Update, plan.ContentDiffers
		if c.Grant, err = v.r.budget.Acquire(ctx, int64(len(c.Source)+len(c.ID)+overhead)); err != nil {
			return err
		}
		if err := v.r.sink.Apply(ctx, c); err != nil {
			return err
		}
	}
	clear(v.pending)
	v.size = 0
	return nil
}

func (v *vectors) sameVectors(held, sent []byte) (bool, error) {
	var a, b map[string]json.RawMessage
	if err := json.Unmarshal(held, &a); err != nil {
		return false, err
	}
	if err := json.Unmarshal(sent, &b); err != nil {
		return false, err
	}
	for name := range b {
		if v.r.options.Vector(name) && (a[name] == nil || !document.SameVector(a[name], b[name])) {
			return false, nil
		}
	}
	for name := range a {
		if v.r.options.Vector(name) && b[name] == nil {
			return false, nil
		}
	}
	return true, nil
}
