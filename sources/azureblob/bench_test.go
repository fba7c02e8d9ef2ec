package azureblob

import (
	"cmp"
	"net/url"
	"strconv"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// BenchmarkListing lists a large container.
func BenchmarkListing(b *testing.B) {
	suite.BenchmarkListing(b, map[string]any{"containers": "c", "account_name": "a", "account_key": secret}, &objectstest.Listing{
		Entry: "<Blob><Name>" + objectstest.KeyMark + "</Name><Properties><Creation-Time>Thu, 21 Apr 2022 12:00:00 GMT</Creation-Time>" +
			"<Last-Modified>Thu, 21 Apr 2022 12:12:30 GMT</Last-Modified><Etag>0x8DA1</Etag><Content-Length>1234567</Content-Length><Content-Type>text/plain</Content-Type>" +
			"<AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState></Properties><Metadata /></Blob>",
		Page: func(q url.Values) (first, most int) {
			most, _ = strconv.Atoi(cmp.Or(q.Get("maxresults"), "5000"))
			return objectstest.From(max(q.Get("startFrom"), q.Get("marker")), false), most
		},
		Around: func(end int) (before, after string) {
			next := ""
			if end < objectstest.Many {
				next = objectstest.Key(end)
			}
			return "<EnumerationResults><Blobs>", "</Blobs><NextMarker>" + next + "</NextMarker></EnumerationResults>"
		},
	})
}
