package ids

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Options define how much memory ids may use, and where the rest is stored.
type Options struct {
	Memory int64  // bytes of records; see [Table] for additional memory
	Dir    string // where a temporary file is created if needed

	open func() (backing, error) // instead of a file in Dir
}

// memory counts the bytes of records in memory.
type memory struct {
	limit int64
	used  atomic.Int64
}

// take counts n more bytes unless that would exceed the limit.
func (m *memory) take(n int64) bool {
	if m.used.Add(n) <= m.limit {
		return true
	}
	m.used.Add(-n)
	return false
}

// firstRoom is the initial size of a set: small if the limit is tiny.
func (m *memory) firstRoom() int {
	return int(min(max(m.limit/partitions/recordBytes, 4), firstRoom))
}

// Collection collects the results of a scan for a table.
type Collection struct {
	mem      memory
	f        *file
	builders []*Builder
}

// Collect begins a collection. It ends with [Collection.Table] or [Collection.Close].
func Collect(o Options) *Collection {
	open := o.open
	if open == nil {
		open = func() (backing, error) { return openTemporary(o.Dir) }
	}
	return &Collection{mem: memory{limit: o.Memory}, f: newFile(open)}
}

// Close discards a collection without a table.
func (c *Collection) Close() error {
	c.builders = nil
	return c.f.close()
}

// Builder adds a builder to the collection. One goroutine creates the builders; several may then be
// used concurrently.
func (c *Collection) Builder() *Builder {
	b := &Builder{mem: &c.mem, f: c.f}
	c.builders = append(c.builders, b)
	return b
}

// Builder collects the ids of one slice of a scan. It is used by one goroutine.
type Builder struct {
	mem   *memory
	f     *file
	parts [partitions]collected
}

// collected are the records of a partition, unsorted: in memory, where the last chunk is being
// filled, and, once the limit is reached, in full blocks of the file.
type collected struct {
	chunks [][]record
	blocks []uint32
}

// Add records that the destination holds id with that version.
func (b *Builder) Add(id string, v document.Version) error {
	k := KeyOf(id)
	p := &b.parts[k.hi>>56]
	n := len(p.chunks)
	if n == 0 || len(p.chunks[n-1]) == perBlock {
		if err := b.makeRoom(p); err != nil {
			return err
		}
		n = len(p.chunks)
	}
	last := &p.chunks[n-1]
	*last = append(*last, record{k, uint64(v)})
	return nil
}

// makeRoom begins another chunk, or writes the last one to the file. The first chunk of a
// partition is allocated whatever the limit.
func (b *Builder) makeRoom(p *collected) error {
	switch n := len(p.chunks); {
	case n == 0:
		b.mem.used.Add(blockBytes)
	case !b.mem.take(blockBytes):
		last := &p.chunks[n-1]
		err := b.f.append(&p.blocks, *last)
		*last = (*last)[:0]
		return err
	}
	p.chunks = append(p.chunks, make([]record, 0, perBlock))
	return nil
}

// count is how many records of partition i the builders have.
func (c *Collection) count(i int) int {
	n := 0
	for _, b := range c.builders {
		n += len(b.parts[i].blocks) * perBlock
		for _, chunk := range b.parts[i].chunks {
			n += len(chunk)
		}
	}
	return n
}

// Table builds the table of everything collected. The collection has then ended, also after an error.
func (c *Collection) Table() (*Table, error) {
	t := &Table{f: c.f}
	t.mem.limit = c.mem.limit
	var counts [partitions]int
	most := 0
	for i := range counts {
		counts[i] = c.count(i)
		t.n += counts[i]
		most = max(most, counts[i])
	}
	bytes := int64(t.n) * recordBytes
	// A sixteenth of the memory is left for new ids.
	t.spilled = bytes > t.mem.limit-t.mem.limit/16 || slices.ContainsFunc(c.builders, (*Builder).spilled)
	workers := int64(4) // more do not help: memory is the bottleneck
	if t.spilled {
		workers = min(max(t.mem.limit/(int64(most)*recordBytes+1), 1), workers)
	} else {
		t.mem.used.Store(bytes)
	}
	var wg sync.WaitGroup
	var next atomic.Int32
	errs := make([]error, workers)
	for w := range errs {
		wg.Go(func() { // ends with the partitions, or with its first error
			errs[w] = crash.Guarded(func() (err error) {
				var sorting []record
				for i := int(next.Add(1)) - 1; i < partitions && err == nil; i = int(next.Add(1)) - 1 {
					sorting, err = c.makePartition(t, i, counts[i], sorting)
				}
				return err
			})
		})
	}
	wg.Wait()
	c.builders = nil
	for _, err := range errs {
		if err != nil {
			_ = c.f.close() // the first error matters
			return nil, err
		}
	}
	return t, nil
}

func (b *Builder) spilled() bool {
	return slices.ContainsFunc(b.parts[:], func(p collected) bool { return len(p.blocks) > 0 })
}

// makePartition sorts a partition. A partition that goes to the file is sorted in the memory of the
// previous one, which is therefore passed on.
func (c *Collection) makePartition(t *Table, i, n int, sorting []record) ([]record, error) {
	if n == 0 {
		return sorting, nil
	}
	p := &t.parts[i]
	if !t.spilled {
		records, err := c.gather(i, make([]record, 0, n))
		p.records = records
		x := newFencing(n)
		for j := range records {
			x.add(records[j].key)
		}
		p.fence = x.end()
		return nil, err
	}
	if cap(sorting) < n {
		sorting = make([]record, 0, n+n/16)
	}
	sorting, err := c.gather(i, sorting[:0])
	if err != nil {
		return nil, err
	}
	w := c.f.newRun(n)
	for _, r := range sorting {
		if err := w.add(r); err != nil {
			return nil, err
		}
	}
	p.run, err = w.end()
	return sorting, err
}

// gather takes the records of partition i from the builders and sorts them.
func (c *Collection) gather(i int, into []record) ([]record, error) {
	for _, b := range c.builders {
		p := &b.parts[i]
		for _, chunk := range p.chunks {
			into = append(into, chunk...)
		}
		for _, b := range p.blocks {
			n := len(into)
			into = into[:n+perBlock]
			if err := c.f.read(int64(b)*blockBytes, into[n:]); err != nil {
				return nil, err
			}
		}
		c.f.release(p.blocks)
		*p = collected{}
	}
	slices.SortFunc(into, func(a, b record) int { return a.key.compare(b.key) })
	return into, nil
}
