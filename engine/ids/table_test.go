package ids

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// memories are limits with which all is held in memory, nothing is, and new ids spill at times.
var memories = []int64{1 << 40, 0, 2 << 20}

func collect(t testing.TB, memory int64) *Collection {
	return Collect(Options{Memory: memory, Dir: t.TempDir()})
}

// tableOf makes the table of the collection.
func tableOf(t testing.TB, c *Collection) *Table {
	t.Helper()
	tab, err := c.Table()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

func add(t testing.TB, b *Builder, id string, v document.Version) {
	t.Helper()
	if err := b.Add(id, v); err != nil {
		t.Fatal(err)
	}
}

func mark(t testing.TB, tab *Table, id string, part uint32) Sighting {
	t.Helper()
	s, err := tab.Mark(KeyOf(id), part)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func exclude(t testing.TB, tab *Table, id string) {
	t.Helper()
	if err := tab.Exclude(KeyOf(id)); err != nil {
		t.Fatal(err)
	}
}

func state(t testing.TB, tab *Table, id string) State {
	t.Helper()
	s, err := tab.State(KeyOf(id))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inEachForm runs a test with each of the memories.
func inEachForm(t *testing.T, test func(t *testing.T, memory int64)) {
	t.Helper()
	t.Parallel()
	for _, memory := range memories {
		t.Run(fmt.Sprint("memory=", memory), func(t *testing.T) {
			t.Parallel()
			test(t, memory)
		})
	}
}

// TestTableAgainstMap drives table and set with random ids beside a plain map.
func TestTableAgainstMap(t *testing.T) {
	inEachForm(t, func(t *testing.T, memory int64) {
		for _, n := range []int{0, 1, 15, 16, 17, 1000, 20_000} {
			againstMap(t, memory, n)
		}
	})
}

func againstMap(t *testing.T, memory int64, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	c := collect(t, memory)
	a, b := c.Builder(), c.Builder()
	want := map[string]document.Version{}
	for i := range n {
		id := fmt.Sprintf("doc-%d", i)
		v := document.Version(rnd.Uint64() >> 2)
		want[id] = v
		if i%3 == 0 {
			add(t, a, id, v)
		} else {
			add(t, b, id, v)
		}
	}
	tab := tableOf(t, c)
	if tab.Len() != n || tab.Unseen() != n {
		t.Fatalf("n=%d: Len %d, Unseen %d", n, tab.Len(), tab.Unseen())
	}
	firsts, kept := map[string]uint32{}, map[string]bool{}
	for range 3*n + 100 {
		id := fmt.Sprintf("doc-%d", rnd.IntN(2*n+2))
		v, held := want[id]
		first, dup := firsts[id]
		if rnd.IntN(20) == 0 {
			exclude(t, tab, id)
			kept[id] = !dup && held || kept[id]
			continue
		}
		part := rnd.Uint32N(1 << 20)
		got := mark(t, tab, id, part)
		if kept[id] {
			v = 0
		}
		if got.Found != held || got.Duplicate != dup || dup && got.First != first || held && !dup && got.Version != v {
			t.Fatalf("n=%d: Mark(%q) = %+v, held %v, version %d, dup %v, first %d", n, id, got, held, v, dup, first)
		}
		if !dup {
			firsts[id] = part
		}
	}
	unseen := 0
	for i := range 2*n + 2 {
		id := fmt.Sprintf("doc-%d", i)
		want := Unknown
		if i < n {
			want = Unseen
			if _, ok := firsts[id]; ok {
				want = Seen
			} else {
				unseen++
				if kept[id] {
					want = Excluded
				}
			}
		}
		if got := state(t, tab, id); got != want {
			t.Fatalf("State(%q) = %d, want %d", id, got, want)
		}
	}
	if tab.Unseen() != unseen {
		t.Fatalf("Unseen() = %d, want %d", tab.Unseen(), unseen)
	}
}

func TestNewIDsAreRemembered(t *testing.T) {
	inEachForm(t, func(t *testing.T, memory int64) {
		tab := tableOf(t, collect(t, memory))
		if s := mark(t, tab, "a", 7); s.Found || s.Duplicate {
			t.Fatalf("first sight: %+v", s)
		}
		if s := mark(t, tab, "a", 8); !s.Duplicate || s.First != 7 || s.Found {
			t.Fatalf("second sight: %+v", s)
		}
	})
}

func TestExcludeGivesWayToASighting(t *testing.T) {
	inEachForm(t, func(t *testing.T, memory int64) {
		c := collect(t, memory)
		add(t, c.Builder(), "a", 5)
		tab := tableOf(t, c)
		exclude(t, tab, "a")
		if got := state(t, tab, "a"); got != Excluded || tab.Unseen() != 1 {
			t.Fatalf("state %d, unseen %d", got, tab.Unseen())
		}
		// Its version is lost, so it is rewritten: never a wrong "unchanged".
		if s := mark(t, tab, "a", 1); s.Duplicate || !s.Found || s.Version != 0 {
			t.Fatalf("%+v", s)
		}
		exclude(t, tab, "a")
		if got := state(t, tab, "a"); got != Seen {
			t.Fatalf("state %d", got)
		}
	})
}

// TestMarkIsExactlyOnce has eight readers mark the same ids concurrently.
func TestMarkIsExactlyOnce(t *testing.T) {
	inEachForm(t, func(t *testing.T, memory int64) {
		const n = 8_000
		c := collect(t, memory)
		b := c.Builder()
		for i := range n / 2 {
			add(t, b, fmt.Sprint(i), 1)
		}
		tab := tableOf(t, c)
		var wg sync.WaitGroup
		firsts, failures := make([]int, 8), make([]error, 8)
		for w := range firsts {
			wg.Go(func() {
				for i := range n {
					s, err := tab.Mark(KeyOf(fmt.Sprint(i)), uint32(w))
					if err != nil {
						failures[w] = err
						return
					}
					if !s.Duplicate {
						firsts[w]++
					}
				}
			})
		}
		wg.Wait()
		sum := 0
		for w, f := range firsts {
			if failures[w] != nil {
				t.Fatal(failures[w])
			}
			sum += f
		}
		if sum != n || tab.Unseen() != 0 {
			t.Fatalf("%d first sightings, want %d; unseen %d", sum, n, tab.Unseen())
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("abcabc"), []byte("bcd"))
	f.Fuzz(func(t *testing.T, held, asked []byte) {
		for _, memory := range memories[:2] {
			c := Collect(Options{Memory: memory, open: func() (backing, error) { return &inMemory{}, nil }})
			b := c.Builder()
			m := map[string]bool{}
			for i := range held {
				id := string(held[max(0, i-2) : i+1])
				if !m[id] {
					add(t, b, id, 1)
					m[id] = true
				}
			}
			tab := tableOf(t, c)
			first := map[string]uint32{}
			for i := range asked {
				id := string(asked[max(0, i-2) : i+1])
				s := mark(t, tab, id, uint32(i))
				part, seen := first[id]
				if s.Found != m[id] || s.Duplicate != seen || s.First != part {
					t.Fatalf("memory %d: Mark(%q) = %+v, held %v, seen %v by %d", memory, id, s, m[id], seen, part)
				}
				if !seen {
					first[id] = uint32(i)
				}
			}
		}
	})
}
