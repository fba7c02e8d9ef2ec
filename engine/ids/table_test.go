package ids

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// TestTableAgainstMap drives table and set with random ids beside a plain map.
func TestTableAgainstMap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 100_000} {
		a, b := &Builder{}, &Builder{}
		want := map[string]document.Version{}
		for i := range n {
			id := fmt.Sprintf("doc-%d", i)
			v := document.Version(rnd.Uint64() >> 2)
			want[id] = v
			if i%3 == 0 {
				a.Add(id, v)
			} else {
				b.Add(id, v)
			}
		}
		tab := Build(a, b)
		if tab.Len() != n || tab.Unseen() != n {
			t.Fatalf("n=%d: Len %d, Unseen %d", n, tab.Len(), tab.Unseen())
		}
		firsts := map[string]uint32{}
		for range 3*n + 100 {
			id := fmt.Sprintf("doc-%d", rnd.IntN(2*n+2))
			part := rnd.Uint32N(1 << 20)
			got := tab.Mark(KeyOf(id), part)
			v, held := want[id]
			first, dup := firsts[id]
			if got.Found != held || got.Duplicate != dup || dup && got.First != first || held && !dup && got.Version != v {
				t.Fatalf("n=%d: Mark(%q) = %+v, held %v, version %d, dup %v, first %d", n, id, got, held, v, dup, first)
			}
			if !dup {
				firsts[id] = part
			}
		}
		unseen := 0
		for id := range want {
			state := tab.State(KeyOf(id))
			if _, ok := firsts[id]; !ok {
				unseen++
				if state != Unseen {
					t.Fatalf("State(%q) = %d, want Unseen", id, state)
				}
			} else if state != Seen {
				t.Fatalf("State(%q) = %d, want Seen", id, state)
			}
		}
		if tab.Unseen() != unseen {
			t.Fatalf("Unseen() = %d, want %d", tab.Unseen(), unseen)
		}
	}
}

func TestNewIDsAreRemembered(t *testing.T) {
	t.Parallel()
	tab := Build()
	if s := tab.Mark(KeyOf("a"), 7); s.Found || s.Duplicate {
		t.Fatalf("first sight: %+v", s)
	}
	if s := tab.Mark(KeyOf("a"), 8); !s.Duplicate || s.First != 7 || s.Found {
		t.Fatalf("second sight: %+v", s)
	}
}

func TestExcludeGivesWayToASighting(t *testing.T) {
	t.Parallel()
	var b Builder
	b.Add("a", 5)
	tab := Build(&b)
	tab.Exclude(KeyOf("a"))
	if got := tab.State(KeyOf("a")); got != Excluded || tab.Unseen() != 1 {
		t.Fatalf("state %d, unseen %d", got, tab.Unseen())
	}
	// Its version is gone, so it is written anew: never a wrong "unchanged".
	if s := tab.Mark(KeyOf("a"), 1); s.Duplicate || !s.Found || s.Version != 0 {
		t.Fatalf("%+v", s)
	}
	tab.Exclude(KeyOf("a"))
	if got := tab.State(KeyOf("a")); got != Seen {
		t.Fatalf("state %d", got)
	}
}

// TestMarkIsExactlyOnce has eight readers mark the same ids at the same time.
func TestMarkIsExactlyOnce(t *testing.T) {
	t.Parallel()
	const n = 20_000
	var b Builder
	for i := range n / 2 {
		b.Add(fmt.Sprint(i), 1)
	}
	tab := Build(&b)
	var wg sync.WaitGroup
	firsts := make([]int, 8)
	for w := range firsts {
		wg.Go(func() {
			for i := range n {
				if !tab.Mark(KeyOf(fmt.Sprint(i)), uint32(w)).Duplicate {
					firsts[w]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, f := range firsts {
		sum += f
	}
	if sum != n || tab.Unseen() != 0 {
		t.Fatalf("%d first sightings, want %d; unseen %d", sum, n, tab.Unseen())
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("abcabc"), []byte("bcd"))
	f.Fuzz(func(t *testing.T, held, asked []byte) {
		var b Builder
		m := map[string]bool{}
		for i := range held {
			id := string(held[max(0, i-2) : i+1])
			if !m[id] {
				b.Add(id, 1)
				m[id] = true
			}
		}
		tab := Build(&b)
		seen := map[string]bool{}
		for i := range asked {
			id := string(asked[max(0, i-2) : i+1])
			s := tab.Mark(KeyOf(id), uint32(i))
			if s.Found != m[id] || s.Duplicate != seen[id] {
				t.Fatalf("Mark(%q) = %+v, held %v, seen %v", id, s, m[id], seen[id])
			}
			seen[id] = true
		}
	})
}

// BenchmarkTable: memory and time for 1 and 10 million ids of 22 bytes, found and new.
func BenchmarkTable(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		id := func(i int) string { return fmt.Sprintf("shop_public_t_%08d", i) }
		b.Run(fmt.Sprintf("found/%dM", n/1e6), func(b *testing.B) {
			before := heap()
			var bu Builder
			for i := range n {
				bu.Add(id(i), document.Version(i))
			}
			tab := Build(&bu)
			size := heap() - before
			i := 0
			for b.Loop() {
				tab.Mark(KeyOf(id(i%n)), 1)
				i += 7919
			}
			b.ReportMetric(float64(size)/float64(n), "B/id")
			runtime.KeepAlive(tab)
		})
		b.Run(fmt.Sprintf("new/%dM", n/1e6), func(b *testing.B) {
			before := heap()
			tab := Build()
			for i := range n {
				tab.Mark(KeyOf(id(i)), 1)
			}
			size := heap() - before
			i := 0
			for b.Loop() {
				tab.Mark(KeyOf(id(i%n)), 1)
				i += 7919
			}
			b.ReportMetric(float64(size)/float64(n), "B/id")
			runtime.KeepAlive(tab)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
