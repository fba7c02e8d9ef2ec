package s3

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

// BenchmarkListing lists a large bucket through the client's own reading of XML.
func BenchmarkListing(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := time.NewTimer(5 * time.Millisecond)
		defer t.Stop()
		<-t.C
		q := r.URL.Query()
		most, _ := strconv.Atoi(q.Get("max-keys"))
		first := firstOf(max(q.Get("start-after"), q.Get("continuation-token")), true)
		end := min(first+most, many)
		var page strings.Builder
		for i := first; i < end; i++ {
			fmt.Fprintf(&page, "<Contents><Key>%s</Key><LastModified>2024-05-06T12:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"+
				"<Size>%d</Size><StorageClass>STANDARD</StorageClass><Owner><ID>me</ID></Owner></Contents>", objectKey(i), i)
		}
		next := ""
		if end < many {
			next = "<IsTruncated>true</IsTruncated><NextContinuationToken>" + objectKey(end-1) + "</NextContinuationToken>"
		}
		_, _ = fmt.Fprintf(w, "<ListBucketResult><EncodingType>url</EncodingType>%s%s</ListBucketResult>", next, page.String())
	}))
	defer server.Close()
	src := objectstest.Open(b, &Type, map[string]any{
		"buckets": "b", "endpoint_url": server.URL, "aws_access_key_id": "key", "aws_secret_access_key": "secret",
	}, source.Env{})
	for b.Loop() {
		if n, err := objectstest.Count(b.Context(), src); err != nil || n != many {
			b.Fatalf("got %d, %v", n, err)
		}
	}
	b.ReportMetric(float64(many)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}
