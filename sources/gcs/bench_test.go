package gcs

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// many is how many objects the benchmark lists, a page of 5 ms at a time.
const many = 1_000_000

// firstOf is the number of the first key that is not before a text.
func firstOf(text string, beyond bool) int {
	return sort.Search(many, func(i int) bool {
		if beyond {
			return objectKey(i) > text
		}
		return objectKey(i) >= text
	})
}

func objectKey(i int) string { return fmt.Sprintf("folder/object-%07d.txt", i) }

// BenchmarkListing lists a large bucket through the client's own reading of JSON.
func BenchmarkListing(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := time.NewTimer(5 * time.Millisecond)
		defer t.Stop()
		<-t.C
		q := r.URL.Query()
		most, _ := strconv.Atoi(q.Get("maxResults"))
		first := firstOf(q.Get("startOffset"), false)
		if token := q.Get("pageToken"); token != "" {
			first, _ = strconv.Atoi(token)
		}
		end := min(first+most, many)
		var page strings.Builder
		for i := first; i < end; i++ {
			if i > first {
				page.WriteByte(',')
			}
			fmt.Fprintf(&page, `{"bucket":"b","name":"%s","size":"%d","generation":"1700000000000001","storageClass":"STANDARD",`+
				`"contentType":"text/plain","timeCreated":"2024-01-02T03:04:05.678Z","updated":"2024-01-02T03:04:06.000Z"}`, objectKey(i), i)
		}
		next := ""
		if end < many {
			next = strconv.Itoa(end)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"nextPageToken":"%s","items":[%s]}`, next, page.String())
	}))
	defer server.Close()
	src := objectstest.Open(b, &Type, map[string]any{"buckets": "b", "endpoint_url": server.URL + "/storage/v1/"}, source.Env{})
	for b.Loop() {
		if n, err := objectstest.Count(b.Context(), src); err != nil || n != many {
			b.Fatalf("got %d, %v", n, err)
		}
	}
	b.ReportMetric(float64(many)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}
