package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // not for security: connectors make the ids of objects with it
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// Buckets lists the buckets of the account, with their regions if the store returns them.
func (st *store) Buckets(ctx context.Context, token string) (names []string, next string, err error) {
	in := &s3.ListBucketsInput{}
	if token != "" {
		in.ContinuationToken = &token
	}
	if st.endpoint == "" {
		in.MaxBuckets = aws.Int32(1000) // AWS returns regions only for paged requests
	}
	out, err := st.client("").ListBuckets(ctx, in)
	if err != nil {
		return nil, "", err
	}
	for _, b := range out.Buckets {
		names = append(names, aws.ToString(b.Name))
		st.found(aws.ToString(b.Name), aws.ToString(b.BucketRegion))
	}
	return names, aws.ToString(out.ContinuationToken), nil
}

// Seeks is true of all but directory buckets, which list in no order and cannot start at a key.
func (st *store) Seeks(bucket string) bool { return !strings.HasSuffix(bucket, "--x-s3") }

// List lists one page.
func (st *store) List(ctx context.Context, q objects.Query) (objects.Page, error) {
	most := st.page
	if q.Most > 0 {
		most = min(most, int32(q.Most)) //nolint:gosec // a few
	}
	in := &s3.ListObjectsV2Input{
		Bucket: &q.Bucket, MaxKeys: &most,
		EncodingType: types.EncodingTypeUrl, // otherwise some characters are not valid XML
	}
	if st.Seeks(q.Bucket) { // directory buckets have neither owners nor archives
		in.FetchOwner = aws.Bool(true)
		if st.endpoint == "" { // other stores may reject it as unknown
			in.OptionalObjectAttributes = []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus}
		}
	}
	if q.Prefix != "" {
		in.Prefix = &q.Prefix
	}
	switch {
	case q.Token != "":
		in.ContinuationToken = &q.Token
	case q.After != "":
		in.StartAfter = &q.After
	}
	if st.payer {
		in.RequestPayer = types.RequestPayerRequester
	}
	var out *s3.ListObjectsV2Output
	err := st.inItsRegion(q.Bucket, func(c *s3.Client) (err error) {
		ctx, here := withListing(ctx)
		out, err = c.ListObjectsV2(ctx, in)
		switch {
		case err == nil && here.err != nil: // although the library found no error
			return here.err
		case here.none:
			return fmt.Errorf("%w by %s", errNoListing, st.address())
		case here.page != nil:
			out = here.page
		}
		return err
	})
	if err != nil {
		return objects.Page{}, err
	}
	return st.pageOf(q, out)
}

// pageOf reads a response. One that says that more follows but not where is an error: the library would take it for
// the last.
func (st *store) pageOf(q objects.Query, out *s3.ListObjectsV2Output) (objects.Page, error) {
	page := objects.Page{Objects: make([]objects.Object, 0, len(out.Contents))}
	decode := out.EncodingType == types.EncodingTypeUrl // some stores ignore the request
	for i := range out.Contents {
		o := &out.Contents[i]
		key := aws.ToString(o.Key)
		if decode {
			if decoded, err := url.QueryUnescape(key); err == nil {
				key = decoded
			}
		}
		page.Objects = append(page.Objects, objects.Object{
			Key: key, Size: aws.ToInt64(o.Size), Version: aws.ToString(o.ETag), Readable: readable(o),
			Document: func() document.Document { return st.document(q.Bucket, key, o) },
		})
	}
	if aws.ToBool(out.IsTruncated) {
		if page.Next = aws.ToString(out.NextContinuationToken); page.Next == "" {
			return page, fmt.Errorf("%w: %s says that more objects follow but returns no token for them", errListing, st.address())
		}
	}
	return page, nil
}

// readable reports whether an object can be read without restoring it first.
func readable(o *types.Object) bool {
	switch o.StorageClass {
	case types.ObjectStorageClassGlacier, types.ObjectStorageClassDeepArchive:
		return o.RestoreStatus != nil && o.RestoreStatus.RestoreExpiryDate != nil
	}
	return true
}

func (st *store) document(bucket, key string, o *types.Object) document.Document {
	sum := md5.Sum([]byte(bucket + "/" + key)) //nolint:gosec // see the import
	owner := document.String("")
	if o.Owner != nil {
		owner = objects.TextOrNull(aws.ToString(o.Owner.DisplayName))
	}
	doc := document.Document{
		ID: hex.EncodeToString(sum[:]),
		Fields: []document.Field{
			{Name: nameField, Value: document.String(key)},
			{Name: sizeField, Value: document.Int(aws.ToInt64(o.Size))},
			{Name: bucketField, Value: document.String(bucket)},
			{Name: ownerField, Value: owner},
			{Name: classField, Value: objects.TextOrNull(string(o.StorageClass))},
			{Name: etagField, Value: objects.TextOrNull(strings.Trim(aws.ToString(o.ETag), `"`))},
		},
	}
	if o.LastModified != nil {
		doc.Timestamp = objects.ISO(*o.LastModified)
	}
	if st.extended {
		id := ""
		if o.Owner != nil {
			id = aws.ToString(o.Owner.ID)
		}
		doc.Fields = append(doc.Fields,
			document.Field{Name: ownerIDField, Value: objects.TextOrNull(id)},
			document.Field{Name: urlField, Value: document.String("s3://" + bucket + "/" + key)},
			document.Field{Name: extensionField, Value: objects.TextOrNull(objects.Extension(key))})
	}
	return doc
}

// Open reads an object on condition of its ETag.
func (st *store) Open(ctx context.Context, bucket string, o objects.Object, offset int64) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &o.Key}
	if o.Version != "" {
		in.IfMatch = &o.Version
	}
	if offset > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", offset))
	}
	if st.payer {
		in.RequestPayer = types.RequestPayerRequester
	}
	var out *s3.GetObjectOutput
	err := st.inItsRegion(bucket, func(c *s3.Client) (err error) {
		out, err = c.GetObject(ctx, in)
		return err
	})
	if err != nil {
		return nil, opening(err)
	}
	return out.Body, nil
}

// inItsRegion makes a request, and repeats it if the response says that the bucket is elsewhere.
func (st *store) inItsRegion(bucket string, request func(*s3.Client) error) error {
	err := request(st.client(bucket))
	if err != nil && st.found(bucket, regionOf(err)) {
		return request(st.client(bucket))
	}
	return err
}

// address is what messages call the store.
func (st *store) address() string {
	if st.endpoint == "" {
		return "AWS"
	}
	return st.endpoint
}
