package ids

import (
	"math/bits"
	"sync"
)

// set holds the keys that are new in this run, with the part that brought each. The slots are in
// the order of the keys, with gaps: a key's place follows from its value, and an insert moves what
// stands between that place and the next gap. So it can be nine tenths full, where a common hash
// table must be half empty.
type set struct {
	mu    sync.Mutex
	slots []record // word is the part's number + 1; 0 is a gap
	room  int      // places that keys are spread over; a few slots more catch what is pushed off the end
	n     int
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

// add puts the key in, or tells which part did before.
func (s *set) add(k Key, part uint32) (first uint32, added bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n >= s.room-s.room/12 {
		s.grow()
	}
	for {
		i := bucket(k, s.room)
		for i < len(s.slots) && s.slots[i].word != 0 && s.slots[i].key.compare(k) < 0 {
			i++
		}
		if i < len(s.slots) && s.slots[i].word != 0 && s.slots[i].key == k {
			return uint32(s.slots[i].word - 1), false
		}
		gap := i
		for gap < len(s.slots) && s.slots[gap].word != 0 {
			gap++
		}
		if gap == len(s.slots) {
			s.grow()
			continue
		}
		copy(s.slots[i+1:gap+1], s.slots[i:gap])
		s.slots[i] = record{k, uint64(part) + 1}
		s.n++
		return 0, true
	}
}

// grow makes an eighth more room, so at most a fifth of the memory is gaps.
func (s *set) grow() {
	old := s.slots
	s.room = max(firstRoom, s.room+s.room/8)
	s.slots = make([]record, s.room+overflow+s.room/64)
	next := 0
	for _, r := range old {
		if r.word == 0 {
			continue
		}
		next = max(next, bucket(r.key, s.room))
		s.slots[next] = r
		next++
	}
}
