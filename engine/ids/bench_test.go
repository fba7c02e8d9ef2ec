package ids

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// BenchmarkTable: memory and time for 1 and 10 million ids of 22 bytes, found and new, in memory and
// with a limit that sends them to a file.
func BenchmarkTable(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		for _, form := range []struct {
			name   string
			memory int64
		}{{"memory", 1 << 40}, {"file", int64(n) * recordBytes / 15}} { // 16 MB for 10 million
			b.Run(fmt.Sprintf("found/%s/%dM", form.name, n/1e6), func(b *testing.B) {
				before := heap()
				c := collect(b, form.memory)
				builder := c.Builder()
				for i := range n {
					add(b, builder, benchID(i), document.Version(i))
				}
				measure(b, tableOf(b, c), n, before)
			})
			b.Run(fmt.Sprintf("new/%s/%dM", form.name, n/1e6), func(b *testing.B) {
				before := heap()
				tab := tableOf(b, collect(b, form.memory))
				for i := range n {
					mark(b, tab, benchID(i), 1)
				}
				measure(b, tab, n, before)
			})
		}
	}
}

func benchID(i int) string { return fmt.Sprintf("shop_public_t_%08d", i) }

// measure returns the memory of the table and the time of a look-up.
func measure(b *testing.B, tab *Table, n int, before uint64) {
	b.Helper()
	size := heap() - before
	i := 0
	for b.Loop() {
		if _, err := tab.Mark(KeyOf(benchID(i%n)), 1); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
	b.ReportMetric(float64(size)/float64(n), "B/id")
	runtime.KeepAlive(tab)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
