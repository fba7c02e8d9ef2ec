// Package ids remembers the content of the destination: for every id a 16-byte digest and its
// document's version, and whether this run has seen it.
//
// It does not keep the ids themselves; they can be read from the destination again. Records that do not
// fit into the allowed memory go to a temporary file. Its invariant: an id is marked by
// exactly one reader, however many read concurrently, and whatever cannot be determined is an error.
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

// Key represents an id: the first 16 bytes of its SHA-256, so that no one can craft two ids that
// share one, and so that keys are evenly distributed, on which the table relies.
type Key struct{ hi, lo uint64 }

// KeyOf computes the key of an id.
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

// record is 24 bytes without a pointer, so the garbage collector never walks the table. The
// version is not needed after the document was seen, so the same word then holds the part that saw it.
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

// Table is the content of the destination when the scan began, and what this run has seen so far. Its
// methods are safe for concurrent use. It needs 24.3 bytes for an id that the scan found
// and about 28 for a new one, up to the limit of memory; see BenchmarkTable.
//
// Beyond the limit they are stored in a temporary file: about 24 bytes each and 0.3 in memory. The
// memory is at least 8 KiB for each of 256 sets of new ids, 4 KiB for each partition of a builder,
// and one partition that is being sorted, whatever the limit. An error of the file is final.
type Table struct {
	parts   [partitions]partition
	fresh   [partitions]set
	n       int
	seen    atomic.Int64
	mem     memory
	f       *file
	spilled bool // what the scan found is in the file
}

// Close removes the file. The table must not be used afterwards.
func (t *Table) Close() error { return t.f.close() }

// update passes the word of a key that the destination holds to decide, and stores the result. It
// returns the previous word.
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

// Sighting is what the table knew about an id when it was marked.
type Sighting struct {
	Found     bool             // the destination holds it
	Version   document.Version // of the copy there, when this is the first sighting
	Duplicate bool             // this run has seen the id before
	First     uint32           // the part that saw it first, when Duplicate
}

// Mark records that the part saw the id and returns what was known about it.
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

// Exclude records that a rule excludes the id, unless a part has seen it.
func (t *Table) Exclude(k Key) error {
	_, _, err := t.update(k, func(w uint64) uint64 {
		if w&marks != 0 {
			return w
		}
		return excluded
	})
	return err
}

// State is the state of an id that the destination holds, in this run.
type State uint8

// The states.
const (
	Unknown  State = iota // not in the table: it came after the scan
	Unseen                // no part has yielded it
	Seen                  // a part has yielded it
	Excluded              // a part has yielded it and a rule excludes it
)

// State returns the state of the id.
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

// Unseen is how many of them no part has yielded yet, including those that a rule excludes.
func (t *Table) Unseen() int { return t.n - int(t.seen.Load()) }
