package postgresql

import (
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// BenchmarkRanges reads one table of a million rows of 1 KB with several readers, in one part and in ranges. Each
// reader encodes and hashes the documents, as a run that compares by content does.
func BenchmarkRanges(b *testing.B) {
	db := newDB(b)
	db.statements(`CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, price numeric(10,2), made timestamptz, ok boolean, body text)`,
		`INSERT INTO t SELECT g, 'name ' || g, g / 100.0, '2024-01-01'::timestamptz + g * interval '1 second', g % 2 = 0, repeat(md5(g::text), 30)
		FROM generate_series(1, 1000000) g`, "VACUUM ANALYZE t")
	for _, bb := range []struct {
		name    string
		cutting cutting
		readers int
	}{
		{"one part", cutting{blocks: 1 << 40, most: 1}, 1},
		{"ranges", cutting{blocks: rangeBlocks, most: mostRanges}, 1},
		{"ranges", cutting{blocks: rangeBlocks, most: mostRanges}, 2},
		{"ranges", cutting{blocks: rangeBlocks, most: mostRanges}, 4},
	} {
		b.Run(fmt.Sprintf("%s/readers=%d", bb.name, bb.readers), func(b *testing.B) {
			rows := atomic.Int64{}
			for b.Loop() {
				d := openSource(b, db.values(nil), source.Env{StallTimeout: sqltest.Patience})
				d.cutting = bb.cutting
				parts := make(chan source.Part)
				var wg sync.WaitGroup
				for range bb.readers {
					wg.Go(func() { // ends when there are no more parts
						for p := range parts {
							rows.Add(work(b, p))
						}
					})
				}
				for _, p := range sqltest.List(b, d) {
					parts <- p
				}
				close(parts)
				wg.Wait()
				_ = d.Close()
			}
			b.ReportMetric(float64(rows.Load())/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

// work reads a part and does the least that a run does with each document.
func work(b *testing.B, p source.Part) (n int64) {
	b.Helper()
	var buffer []byte
	seed := maphash.MakeSeed()
	for doc, err := range p.Documents(b.Context()) {
		if err != nil {
			b.Error(err)
			return n
		}
		buffer, _ = document.AppendSource(buffer[:0], &doc, document.Trailer{})
		maphash.Bytes(seed, buffer)
		n++
	}
	return n
}
