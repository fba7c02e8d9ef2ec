package gcs

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// BenchmarkListing lists a large bucket.
func BenchmarkListing(b *testing.B) {
	suite.BenchmarkListing(b, map[string]any{"buckets": "b"}, &objectstest.Listing{
		Entry: `{"bucket":"b","name":"` + objectstest.KeyMark + `","size":"1234567","generation":"1700000000000001","storageClass":"STANDARD",` +
			`"contentType":"text/plain","timeCreated":"2024-01-02T03:04:05.678Z","updated":"2024-01-02T03:04:06.000Z"}`,
		Between: ",",
		Page: func(q url.Values) (first, most int) {
			most, _ = strconv.Atoi(q.Get("maxResults"))
			return objectstest.From(max(q.Get("startOffset"), q.Get("pageToken")), false), most
		},
		Around: func(end int) (before, after string) {
			next := ""
			if end < objectstest.Many {
				next = objectstest.Key(end)
			}
			return `{"nextPageToken":"` + next + `","items":[`, "]}"
		},
	})
}
