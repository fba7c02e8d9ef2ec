package s3

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// BenchmarkListing lists a large bucket.
func BenchmarkListing(b *testing.B) {
	suite.BenchmarkListing(b, map[string]any{"buckets": "b", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}, &objectstest.Listing{
		Entry: "<Contents><Key>" + objectstest.KeyMark + "</Key><LastModified>2024-05-06T12:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>" +
			"<Size>1234567</Size><StorageClass>STANDARD</StorageClass><Owner><ID>me</ID></Owner></Contents>",
		Page: func(q url.Values) (first, most int) {
			most, _ = strconv.Atoi(q.Get("max-keys"))
			return objectstest.From(max(q.Get("start-after"), q.Get("continuation-token")), true), most
		},
		Around: func(end int) (before, after string) {
			before = "<ListBucketResult><EncodingType>url</EncodingType>"
			if end < objectstest.Many {
				before += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + objectstest.Key(end-1) + "</NextContinuationToken>"
			}
			return before, "</ListBucketResult>"
		},
	})
}
