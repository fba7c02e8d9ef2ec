package s3

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// plainPage is a page as AWS writes it, with what a page may hold.
const plainPage = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>
<IsTruncated>true</IsTruncated><NextContinuationToken>1/a&amp;b&#43;&#x3d;=</NextContinuationToken>
<Contents><Key>a%2Bb+c</Key><LastModified>2024-05-06T12:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e-3&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>
<Size>5497558138880</Size><StorageClass>GLACIER</StorageClass><Owner><ID>me</ID><DisplayName>it's &lt;me&gt; é</DisplayName></Owner>
<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2030-01-01T00:00:00Z</RestoreExpiryDate></RestoreStatus></Contents>
<Contents><Key>日本/😀</Key><LastModified>2024-05-06T12:00:00Z</LastModified><ETag/><Size>0</Size><StorageClass></StorageClass></Contents></ListBucketResult>`

// byLibrary is what the library reads of a page.
func byLibrary(ctx context.Context, body []byte) (*s3.ListObjectsV2Output, error) {
	client := s3.New(s3.Options{Region: "r", Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{}, HTTPClient: objectstest.Always(body)})
	return client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")})
}

// A page as AWS writes it is read here: otherwise the library would, slowly.
func TestAPageIsReadHere(t *testing.T) {
	t.Parallel()
	page := parsePage([]byte(plainPage))
	if page == nil || len(page.Contents) != 2 || aws.ToString(page.NextContinuationToken) != "1/a&b+==" || aws.ToString(page.Contents[0].Owner.DisplayName) != "it's <me> é" {
		t.Errorf("got %+v", page)
	}
}

// FuzzPage: what is read here is what the library reads, of all fields that are used.
func FuzzPage(f *testing.F) {
	names := []string{"Key", "ETag", "Owner", "ID", "Size", "IsTruncated", "LastModified", "NextContinuationToken", "RestoreStatus"}
	objectstest.AddOddPages(f, plainPage, names, func(name, tag string) []string {
		return []string{"<" + name + ` a="b">`, tag + "&#xD800;", "<" + strings.ToLower(name) + ">"}
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		got := parsePage(body)
		if got == nil {
			return // it is the library's
		}
		want, err := byLibrary(t.Context(), body)
		if err != nil {
			t.Fatalf("the library refuses what is read here: %v", err)
		}
		unused := cmpopts.IgnoreFields(s3.ListObjectsV2Output{}, "Name", "Prefix", "MaxKeys", "KeyCount", "Delimiter", "ContinuationToken", "StartAfter", "ResultMetadata")
		for i := range want.Contents {
			want.Contents[i].ChecksumAlgorithm, want.Contents[i].ChecksumType = nil, ""
		}
		if d := cmp.Diff(want, got, unused, cmpopts.EquateEmpty(),
			cmpopts.IgnoreUnexported(s3.ListObjectsV2Output{}, types.Object{}, types.Owner{}, types.RestoreStatus{})); d != "" {
			t.Errorf("-library +here:\n%s", d)
		}
	})
}
