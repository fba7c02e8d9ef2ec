package azureblob

import (
	"cmp"
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

// BenchmarkListing lists a large container through the client's own reading of XML.
func BenchmarkListing(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := time.NewTimer(5 * time.Millisecond)
		defer t.Stop()
		<-t.C
		q := r.URL.Query()
		if q.Get("comp") != "list" {
			return
		}
		most, _ := strconv.Atoi(cmp.Or(q.Get("maxresults"), "5000"))
		first := firstOf(max(q.Get("startFrom"), q.Get("marker")), false)
		end := min(first+most, many)
		var page strings.Builder
		for i := first; i < end; i++ {
			fmt.Fprintf(&page, "<Blob><Name>%s</Name><Properties><Creation-Time>Thu, 21 Apr 2022 12:00:00 GMT</Creation-Time>"+
				"<Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>0x8DA1</Etag><Content-Length>%d</Content-Length><Content-Type>text/plain</Content-Type>"+
				"<AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState></Properties><Metadata /></Blob>", objectKey(i), i)
		}
		next := ""
		if end < many {
			next = objectKey(end)
		}
		_, _ = fmt.Fprintf(w, "<EnumerationResults><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>", page.String(), next)
	}))
	defer server.Close()
	src := objectstest.Open(b, &Type, map[string]any{
		"containers": "c", "blob_endpoint": server.URL, "account_name": "a", "account_key": secret,
	}, source.Env{})
	for b.Loop() {
		if n, err := objectstest.Count(b.Context(), src); err != nil || n != many {
			b.Fatalf("got %d, %v", n, err)
		}
	}
	b.ReportMetric(float64(many)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}
