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
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// differ is the sink of a dry run: it tells the changes and, where asked for, which fields of an
// update differ, for which it reads the older copies of some updates at a time from the point in time.
type differ struct {
	r       *run
	mu      sync.Mutex
	pending map[string]plan.Change // updates by id, with a copy of their source
	size    int
}

const (
	maxPending      = 200
	maxPendingBytes = 8 << 20
)

func newDiffer(r *run) *differ { return &differ{r: r, pending: map[string]plan.Change{}} }

// Apply counts and tells a change.
func (d *differ) Apply(ctx context.Context, c plan.Change) error {
	defer d.r.budget.Release(c.Grant)
	n := d.r.deps.Counters
	switch c.Kind {
	case plan.Create:
		n.Created.Add(1)
	case plan.Delete:
		n.Deleted.Add(1)
	case plan.Update:
		n.Updated.Add(1)
	}
	if c.Kind != plan.Update || !d.r.job.Fields {
		d.r.deps.Observer.Changed(told(d.r.index.Name, c))
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.ID, c.Source = strings.Clone(c.ID), bytes.Clone(c.Source)
	d.pending[c.ID] = c
	d.size += len(c.Source)
	if len(d.pending) >= maxPending || d.size >= maxPendingBytes {
		return d.compare(ctx)
	}
	return nil
}

// Flush tells the updates that are still waiting for their fields.
func (d *differ) Flush(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.compare(ctx)
}

// compare reads the older copies of the pending updates. The lock is held.
func (d *differ) compare(ctx context.Context) error {
	if len(d.pending) == 0 {
		return nil
	}
	list := slices.Sorted(maps.Keys(d.pending))
	fields := map[string][]report.Field{}
	err := d.r.scanIDs(ctx, list, func(h elastic.Hit) (err error) {
		fields[h.ID], err = d.r.differing(h.Source, d.pending[h.ID].Source)
		return err
	})
	if err != nil {
		return fmt.Errorf("compare fields: %w", err)
	}
	for _, id := range list {
		change := told(d.r.index.Name, d.pending[id])
		change.Fields = fields[id]
		d.r.deps.Observer.Changed(change)
	}
	clear(d.pending)
	d.size = 0
	return nil
}

// scanIDs reads whole documents of the point in time by their ids, which are sorted. No document has an
// empty one, and Elasticsearch refuses to look for it.
func (r *run) scanIDs(ctx context.Context, list []string, each func(elastic.Hit) error) error {
	if len(list) > 0 && list[0] == "" {
		list = list[1:]
	}
	query, err := json.Marshal(map[string]any{"ids": map[string]any{"values": list}})
	if err != nil {
		return fmt.Errorf("look documents up: %w", err)
	}
	scan := elastic.Scan{Source: r.wholeSource(), Query: query, SeqNo: true, Slices: 1, Retry: r.deps.Retry}
	return r.pit.Scan(ctx, scan, func(int) func(elastic.Hit) error { return each })
}

// differing lists the top-level fields of two documents that differ, in the order of their names.
// What every run writes anew is left out. same compares two values, of which one may be nil.
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

// sameJSON compares two values as documents are compared, whatever their spelling.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) || a == nil || b == nil {
		return bytes.Equal(a, b) && (a == nil) == (b == nil)
	}
	return document.SameValue(a, b)
}
