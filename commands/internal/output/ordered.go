package output

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// Changes are collected up to these limits before they are printed. With more of them, each block is ordered.
const (
	mostOrdered      = 5000
	mostOrderedBytes = 4 << 20
	// Under a limit, they are collected up to this many bytes; beyond that, fewer are kept than the limit permits.
	mostLimitedBytes = 32 << 20
)

// ordered collects changes, so that they are printed in the same order whatever was read concurrently: by table,
// then by id. Of more changes than a limit permits it keeps the first in that order, so that these are always the
// same, too.
type ordered[T any] struct {
	limit int // maximum number of changes; 0 for no limit
	write func([]item[T])

	mu      sync.Mutex // guards the fields below, and all that the printer writes
	last    *item[T]   // what comes after it is omitted; nil if nothing is yet
	items   []item[T]
	bytes   int
	printed int
	omitted int64
}

// item is a change and what a format shows of it.
type item[T any] struct {
	scope, id, kind string
	bytes           int // of its memory, roughly
	shown           T
}

// collect adds a change, unless it is omitted. show returns what is shown of the change and its size in bytes; it runs
// concurrently with that of other changes.
func (o *ordered[T]) collect(c *report.Change, show func() (shown T, size int)) {
	o.mu.Lock()
	beyond := o.isBeyond(c.Scope, c.ID, c.Kind)
	o.mu.Unlock()
	if beyond {
		return
	}
	shown, size := show()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(item[T]{scope: c.Scope, id: c.ID, kind: c.Kind, bytes: size, shown: shown})
}

// isBeyond reports, and counts, a change that is omitted, so that its text need not be written.
func (o *ordered[T]) isBeyond(scope, id, kind string) bool {
	if o.last == nil || compareItems(&item[T]{scope: scope, id: id, kind: kind}, o.last) <= 0 {
		return false
	}
	o.omitted++
	return true
}

func (o *ordered[T]) add(one item[T]) {
	o.items = append(o.items, one)
	o.bytes += one.bytes
	if o.limit == 0 || o.limit > mostOrdered {
		if len(o.items) >= mostOrdered || o.bytes >= mostOrderedBytes {
			o.flush()
		}
		return
	}
	if len(o.items) >= 2*o.limit+1000 || o.bytes >= mostLimitedBytes {
		o.cut()
	}
}

func (o *ordered[T]) sort() {
	slices.SortStableFunc(o.items, func(a, b item[T]) int { return compareItems(&a, &b) })
}

func compareItems[T any](a, b *item[T]) int {
	return cmp.Or(strings.Compare(a.scope, b.scope), strings.Compare(a.id, b.id), strings.Compare(a.kind, b.kind))
}

// cut orders the changes and forgets those beyond the limit.
func (o *ordered[T]) cut() {
	o.sort()
	most := len(o.items)
	if o.limit > 0 {
		most = min(most, o.limit-o.printed)
	}
	for i := len(o.items) - 1; i >= 0 && (i >= most || o.bytes >= mostLimitedBytes); i-- {
		o.bytes -= o.items[i].bytes
		most = min(most, i)
	}
	if most < len(o.items) && most > 0 {
		o.last = &item[T]{scope: o.items[most-1].scope, id: o.items[most-1].id, kind: o.items[most-1].kind}
	}
	o.omitted += int64(len(o.items) - most)
	clear(o.items[most:])
	o.items = o.items[:most]
}

// flush prints what was collected.
func (o *ordered[T]) flush() {
	o.cut()
	o.printed += len(o.items)
	if len(o.items) > 0 {
		o.write(o.items)
	}
	clear(o.items)
	o.items, o.bytes = o.items[:0], 0
}

// reset begins the next connector.
func (o *ordered[T]) reset() { o.printed, o.omitted, o.last = 0, 0, nil }
