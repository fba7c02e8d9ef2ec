package ids

import (
	"math/bits"
	"sync"
)

// set holds the keys that are new in this run, with the part that brought each. The slots are in
// the order of the keys, with gaps: a key's place follows from its value, and an insert moves the
// records between that place and the next gap. So it can be nine tenths full, whereas a common hash
// table must be half empty.
//
// If memory has no room for a larger set, its content becomes a run in the file and it starts
// empty. A run merges with those before it that are no longer than itself, so there are few: for n keys
// and a set of m at most log2(n/m) + 1, and each key is written about as often.
type set struct {
	mu    sync.Mutex
	slots []record // word is the part's number + 1; 0: a gap
	room  int      // places that keys are spread over; a few more slots take the records pushed off the end
	n     int
	runs  []run // each longer than those after it together
}

const (
	firstRoom = 64
	overflow  = 256
)

// bucket spreads the keys of one partition over n places, in their order.
func bucket(k Key, n int) int {
	hi, _ := bits.Mul64(k.hi<<8|k.lo>>56, uint64(n))
	return int(hi)
}

// add adds the key, or returns the part that added it before.
func (s *set) add(k Key, part uint32, mem *memory, f *file) (first uint32, added bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.runs {
		r, _, ok, err := s.runs[i].find(f, k)
		if ok || err != nil {
			return uint32(r.word - 1), false, err
		}
	}
	for {
		i := bucket(k, s.room) // 0 if there is no room at all
		for i < len(s.slots) && s.slots[i].word != 0 && s.slots[i].key.compare(k) < 0 {
			i++
		}
		if i < len(s.slots) && s.slots[i].word != 0 && s.slots[i].key == k {
			return uint32(s.slots[i].word - 1), false, nil
		}
		gap := i
		for gap < len(s.slots) && s.slots[gap].word != 0 {
			gap++
		}
		if gap < len(s.slots) && s.n < s.room-s.room/12 {
			copy(s.slots[i+1:gap+1], s.slots[i:gap])
			s.slots[i] = record{k, uint64(part) + 1}
			s.n++
			return 0, true, nil
		}
		if err := s.makeRoom(mem, f); err != nil {
			return 0, false, err
		}
	}
}

// makeRoom grows the set by an eighth, so at most a fifth of the memory is gaps, or empties it
// into the file. The first slots are allocated whatever the limit.
func (s *set) makeRoom(mem *memory, f *file) error {
	room := max(mem.firstRoom(), s.room+s.room/8, s.room+1)
	slots := room + overflow + room/64
	if s.room == 0 {
		mem.used.Add(int64(slots) * recordBytes)
	} else if !mem.take(int64(slots) * recordBytes) {
		return s.spill(f)
	}
	old := s.slots
	s.room, s.slots = room, make([]record, slots)
	next := 0
	for _, r := range old {
		if r.word == 0 {
			continue
		}
		next = max(next, bucket(r.key, s.room))
		s.slots[next] = r
		next++
	}
	mem.used.Add(int64(-len(old)) * recordBytes)
	return nil
}

// spill makes a run of the set and of the runs that are no longer than the result.
func (s *set) spill(f *file) error {
	n, kept := s.n, len(s.runs)
	for kept > 0 && s.runs[kept-1].n <= n {
		kept--
		n += s.runs[kept].n
	}
	from := []sequence{&filled{s.slots}}
	for _, r := range s.runs[kept:] {
		from = append(from, &cursor{f: f, run: r})
	}
	merged, err := f.merge(n, from)
	if err != nil {
		return err
	}
	for _, r := range s.runs[kept:] {
		f.release(r.blocks)
	}
	s.runs = append(s.runs[:kept], merged)
	clear(s.slots)
	s.n = 0
	return nil
}

// filled walks the slots that are not gaps.
type filled struct{ slots []record }

func (s *filled) next() (record, bool, error) {
	for i, r := range s.slots {
		if r.word != 0 {
			s.slots = s.slots[i+1:]
			return r, true, nil
		}
	}
	return record{}, false, nil
}
