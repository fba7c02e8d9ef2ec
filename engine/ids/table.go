// Package ids remembers what the destination holds: for every id a 16-byte digest and what its
// document's version was, and whether this run has seen it.
//
// It does not keep the ids themselves; whoever needs one asks the destination again. Its invariant:
// an id is marked by exactly one reader, however many read at the same time.
package ids

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// Key stands for an id: the first 16 bytes of its SHA-256, so that nobody can craft two ids that
// share one, and so that keys are spread evenly, on which the table relies.
type Key struct{ hi, lo uint64 }

// KeyOf makes the key of an id.
func KeyOf(id string) Key {
	sum := sha256.Sum256(unsafe.Slice(unsafe.StringData(id), len(id)))
	return Key{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}
}

func (k Key) compare(o Key) int {
	if c := cmp.Compare(k.hi, o.hi); c != 0 {
		return c
	}
	return cmp.Compare(k.lo, o.lo)
}

// record is 24 bytes without a pointer, so the collector never walks the table. What the version
// was is of no use once the document was seen, so the same word then holds by which part.
type record struct {
	key  Key
	word uint64 // a version (62 bits), or a mark and a part's number
}

const (
	seen     = 1 << 63
	excluded = 1 << 62
	marks    = seen | excluded
)

const partitions = 256 // by the first byte of the key

// chunkLen records are added at a time to a partition of a builder: 3 KiB.
const chunkLen = 128

// Builder collects the ids of one slice of a scan. It is used by one goroutine.
type Builder struct {
	chunks [partitions][][]record
}

// Add remembers that the destination holds id with that version.
func (b *Builder) Add(id string, v document.Version) {
	k := KeyOf(id)
	p := &b.chunks[k.hi>>56]
	n := len(*p)
	if n == 0 || len((*p)[n-1]) == chunkLen {
		*p = append(*p, make([]record, 0, chunkLen))
		n++
	}
	last := &(*p)[n-1]
	*last = append(*last, record{k, uint64(v)})
}

// perBucket is how many records a look-up reads on average: a bucket is two cache lines or so.
const perBucket = 16

// partition is sorted; fence[b] is where the records of bucket b begin. Keys are evenly spread, so
// the bucket of a key is found by arithmetic and no tree is needed.
type partition struct {
	records []record
	fence   []uint32
}

// Table is what the destination held when the scan began, and what this run has seen so far. Its
// methods may be called from several goroutines. It takes 24.3 bytes for an id that the scan found
// and about 28 for a new one; see BenchmarkTable.
type Table struct {
	parts [partitions]partition
	fresh [partitions]set
	n     int
	seen  atomic.Int64
}

// Build makes the table of all that the builders collected, which are empty afterwards.
func Build(builders ...*Builder) *Table {
	t := &Table{}
	var wg sync.WaitGroup
	const workers = 4 // more do not help: memory is what is waited for
	for w := range workers {
		wg.Go(func() { // ends by itself; owns every fourth partition
			for i := w; i < partitions; i += workers {
				t.parts[i] = merge(builders, i)
			}
		})
	}
	wg.Wait()
	for i := range t.parts {
		t.n += len(t.parts[i].records)
	}
	return t
}

func merge(builders []*Builder, i int) partition {
	n := 0
	for _, b := range builders {
		for _, c := range b.chunks[i] {
			n += len(c)
		}
	}
	if n == 0 {
		return partition{}
	}
	records := make([]record, 0, n)
	for _, b := range builders {
		for _, c := range b.chunks[i] {
			records = append(records, c...)
		}
		b.chunks[i] = nil
	}
	slices.SortFunc(records, func(a, b record) int { return a.key.compare(b.key) })
	p := partition{records: records, fence: make([]uint32, n/perBucket+2)}
	buckets := len(p.fence) - 1
	next := 0
	for j := range records {
		for b := bucket(records[j].key, buckets); next <= b; next++ {
			p.fence[next] = uint32(j)
		}
	}
	for ; next <= buckets; next++ {
		p.fence[next] = uint32(n)
	}
	return p
}

func (t *Table) find(k Key) *record {
	p := &t.parts[k.hi>>56]
	if len(p.records) == 0 {
		return nil
	}
	b := bucket(k, len(p.fence)-1)
	for i := p.fence[b]; i < p.fence[b+1]; i++ {
		if r := &p.records[i]; r.key == k {
			return r
		}
	}
	return nil
}

// Sighting is what a table knew of an id at the moment it was marked.
type Sighting struct {
	Found     bool             // the destination holds it
	Version   document.Version // of the copy there, when this is the first sighting
	Duplicate bool             // this run has seen the id before
	First     uint32           // the part that saw it first, when Duplicate
}

// Mark records that the part saw the id and tells what was known of it.
func (t *Table) Mark(k Key, part uint32) Sighting {
	r := t.find(k)
	if r == nil {
		first, added := t.fresh[k.hi>>56].add(k, part)
		return Sighting{Duplicate: !added, First: first}
	}
	for {
		w := atomic.LoadUint64(&r.word)
		if w&seen != 0 {
			return Sighting{Found: true, Duplicate: true, First: uint32(w)}
		}
		if atomic.CompareAndSwapUint64(&r.word, w, seen|uint64(part)) {
			t.seen.Add(1)
			if w&excluded != 0 {
				return Sighting{Found: true}
			}
			return Sighting{Found: true, Version: document.Version(w)}
		}
	}
}

// Exclude records that a rule keeps the id out, unless some part has seen it.
func (t *Table) Exclude(k Key) {
	r := t.find(k)
	if r == nil {
		return
	}
	w := atomic.LoadUint64(&r.word)
	if w&marks == 0 {
		// Lost to another mark: then that one stands.
		atomic.CompareAndSwapUint64(&r.word, w, excluded)
	}
}

// State is what a run has made of an id that the destination holds.
type State uint8

// The states.
const (
	Unknown  State = iota // not in the table: it came after the scan
	Unseen                // no part has yielded it
	Seen                  // a part has yielded it
	Excluded              // a part has yielded it and a rule keeps it out
)

// State tells what has become of the id.
func (t *Table) State(k Key) State {
	r := t.find(k)
	if r == nil {
		return Unknown
	}
	switch w := atomic.LoadUint64(&r.word); {
	case w&seen != 0:
		return Seen
	case w&excluded != 0:
		return Excluded
	}
	return Unseen
}

// Len is the number of ids that the destination held at the scan.
func (t *Table) Len() int { return t.n }

// Unseen is how many of them no part has yielded yet; those that a rule keeps out are among them.
func (t *Table) Unseen() int { return t.n - int(t.seen.Load()) }
