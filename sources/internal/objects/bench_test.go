package objects_test

import (
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// BenchmarkListing lists 200,000 keys of one bucket, 1,000 a page of 5 ms.
func BenchmarkListing(b *testing.B) {
	const n = 200_000
	for name, keys := range map[string][]string{
		"numbers": objects.Numbered("object-%07d", n), "hashes": objects.Hashed(n), "folders": objects.Numbered("a/b/%06d/part", n),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				src := objects.NewSlow(b, keys, 1000, 5*time.Millisecond)
				if got, err := objectstest.Count(b.Context(), src); err != nil || got != n {
					b.Fatalf("got %d, %v", got, err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}
