// Package ids remembers what the destination holds: for every id a 16-byte digest and what its
// document's version was, and whether this run has seen it.
//
// It does not keep the ids themselves; whoever needs one asks the destination again. What does not
// fit into the memory that it may take goes to a temporary file. Its invariant: an id is marked by
// exactly one reader, however many read at the same time, and what cannot be told is an error.
package ids

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
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

// partition is sorted, in memory or as a run of the file.
type partition struct {
	records []record
	fence   fence
	mu      sync.Mutex // of what is in the file: a look-up and the mark that follows are one
	run     run
}

// Table is what the destination held when the scan began, and what this run has seen so far. Its
// methods may be called from several goroutines. It takes 24.3 bytes for an id that the scan found
// and about 28 for a new one, up to the limit of memory; see BenchmarkTable.
//
// Where there are more, they lie in a temporary file: about 24 bytes each and 0.3 in memory. The
// memory is at least 8 KiB for each of 256 sets of new ids, 4 KiB for each partition of a builder,
// and one partition that is being sorted, whatever the limit is. An error of the file is final.
type Table struct {
	parts   [partitions]partition
	fresh   [partitions]set
	n       int
	seen    atomic.Int64
	mem     memory
	f       *file
	spilled bool // what the scan found is in the file
}

// Close removes the file. Nobody may use the table any more.
func (t *Table) Close() error { return t.f.close() }

// update hands the word of a key that the destination holds to decide, and stores the answer. It
// returns the word as it was.
func (t *Table) update(k Key, decide func(word uint64) uint64) (was uint64, held bool, err error) {
	p := &t.parts[k.hi>>56]
	if t.spilled {
		return p.updateFile(t.f, k, decide)
	}
	if len(p.records) == 0 {
		return 0, false, nil
	}
	i, j := p.fence.place(k)
	for ; i < j; i++ {
		if p.records[i].key == k {
			break
		}
	}
	if i == j {
		return 0, false, nil
	}
	word := &p.records[i].word
	for {
		was = atomic.LoadUint64(word)
		if n := decide(was); n == was || atomic.CompareAndSwapUint64(word, was, n) {
			return was, true, nil
		}
	}
}

func (p *partition) updateFile(f *file, k Key, decide func(uint64) uint64) (was uint64, held bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, at, held, err := p.run.find(f, k)
	if err != nil || !held {
		return 0, false, err
	}
	was = r.word
	if r.word = decide(was); r.word != was {
		err = f.writeWord(at, &r)
	}
	return was, true, err
}

// Sighting is what a table knew of an id at the moment it was marked.
type Sighting struct {
	Found     bool             // the destination holds it
	Version   document.Version // of the copy there, when this is the first sighting
	Duplicate bool             // this run has seen the id before
	First     uint32           // the part that saw it first, when Duplicate
}

// Mark records that the part saw the id and tells what was known of it.
func (t *Table) Mark(k Key, part uint32) (Sighting, error) {
	word, held, err := t.update(k, func(w uint64) uint64 {
		if w&seen != 0 {
			return w
		}
		return seen | uint64(part)
	})
	if err != nil {
		return Sighting{}, err
	}
	if !held {
		first, added, err := t.fresh[k.hi>>56].add(k, part, &t.mem, t.f)
		return Sighting{Duplicate: !added, First: first}, err
	}
	if word&seen != 0 {
		return Sighting{Found: true, Duplicate: true, First: uint32(word)}, nil
	}
	t.seen.Add(1)
	if word&excluded != 0 {
		return Sighting{Found: true}, nil
	}
	return Sighting{Found: true, Version: document.Version(word)}, nil
}

// Exclude records that a rule keeps the id out, unless some part has seen it.
func (t *Table) Exclude(k Key) error {
	_, _, err := t.update(k, func(w uint64) uint64 {
		if w&marks != 0 {
			return w
		}
		return excluded
	})
	return err
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
func (t *Table) State(k Key) (State, error) {
	word, held, err := t.update(k, func(w uint64) uint64 { return w })
	switch {
	case err != nil || !held:
		return Unknown, err
	case word&seen != 0:
		return Seen, nil
	case word&excluded != 0:
		return Excluded, nil
	}
	return Unseen, nil
}

// Len is the number of ids that the destination held at the scan.
func (t *Table) Len() int { return t.n }

// Unseen is how many of them no part has yielded yet; those that a rule keeps out are among them.
func (t *Table) Unseen() int { return t.n - int(t.seen.Load()) }
