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

	"github.com/elastic-ingest/elastic-ingest/engine/budget"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// differ is the sink of a dry run. It reports the changes and, if requested, the fields in which an update
// differs; for these it reads the older copies from the point in time, in batches.
type differ struct {
	scanned *scanned
	budget  *budget.Bytes
	pending batch
}

// newDiffer returns the sink of a dry run.
func newDiffer(s *scanned) *writing {
	b := budget.New(s.deps.Budget, func() {})
	return &writing{budget: b, sink: &differ{scanned: s, budget: b}}
}

// Apply counts and reports a change.
func (d *differ) Apply(ctx context.Context, c plan.Change) error {
	defer d.budget.Release(c.Grant)
	n := d.scanned.deps.Counters
	switch c.Kind {
	case plan.Create:
		n.Created.Add(1)
	case plan.Delete:
		n.Deleted.Add(1)
	case plan.Update:
		n.Updated.Add(1)
	}
	if c.Kind != plan.Update || !d.scanned.job.Fields {
		d.scanned.deps.Observer.Changed(reported(d.scanned.index.Name, c))
		return nil
	}
	return d.pending.add(c, func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// Flush reports the updates that still wait for their fields.
func (d *differ) Flush(ctx context.Context) error {
	return d.pending.drain(func(changes map[string]plan.Change) error { return d.compare(ctx, changes) })
}

// compare reads the older copies of updates and reports the differences.
func (d *differ) compare(ctx context.Context, updates map[string]plan.Change) error {
	list := slices.Sorted(maps.Keys(updates))
	fields := map[string][]report.Field{}
	err := d.scanned.view.scanIDs(ctx, list, func(h elastic.Hit) (err error) {
		fields[h.ID], err = d.scanned.differing(h.Source, updates[h.ID].Source)
		return err
	})
	if err != nil {
		return fmt.Errorf("compare fields: %w", err)
	}
	for _, id := range list {
		change := reported(d.scanned.index.Name, updates[id])
		change.Fields = fields[id]
		d.scanned.deps.Observer.Changed(change)
	}
	return nil
}

// batch collects changes, with copies of their sources, until there are enough to look them up in the index
// together. The zero batch is empty.
type batch struct {
	mu      sync.Mutex
	changes map[string]plan.Change // by id
	size    int                    // bytes
}

const (
	maxPending      = 200
	maxPendingBytes = 8 << 20
)

// add collects a change. Once there are enough, it passes all of them to do.
func (b *batch) add(c plan.Change, do func(map[string]plan.Change) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changes == nil {
		b.changes = map[string]plan.Change{}
	}
	c.ID, c.Source = strings.Clone(c.ID), bytes.Clone(c.Source)
	b.changes[c.ID] = c
	b.size += len(c.Source)
	if len(b.changes) >= maxPending || b.size >= maxPendingBytes {
		return b.empty(do)
	}
	return nil
}

// drain passes the remaining changes to do.
func (b *batch) drain(do func(map[string]plan.Change) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.empty(do)
}

// empty passes the changes to do. The caller holds the lock.
func (b *batch) empty(do func(map[string]plan.Change) error) error {
	if len(b.changes) == 0 {
		return nil
	}
	err := do(b.changes)
	clear(b.changes)
	b.size = 0
	return err
}

// differing lists the top-level fields in which two documents differ, sorted by name. It leaves out the fields
// that every run writes again. same compares two values, one of which may be nil.
func differing(before, after []byte, same func(name string, before, after json.RawMessage) bool) ([]report.Field, error) {
	var a, b map[string]json.RawMessage
	if err := json.Unmarshal(before, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(after, &b); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	var out []report.Field
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if document.WrittenAnew(name) || same(name, a[name], b[name]) {
			continue
		}
		out = append(out, report.Field{Name: name, Old: a[name], New: b[name]})
	}
	return out, nil
}

// sameJSON compares two values as documents are compared, whatever their spelling in JSON.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) || a == nil || b == nil {
		return bytes.Equal(a, b) && (a == nil) == (b == nil)
	}
	return document.SameValue(a, b)
}
