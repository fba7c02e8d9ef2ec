package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithytime "github.com/aws/smithy-go/time"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// listing is what is known of a response before the library reads it.
type listing struct {
	page *s3.ListObjectsV2Output // nil where the library has to read it
	none bool                    // it is not a page of a listing at all
	err  error                   // it broke off
}

type listingKey struct{}

// pageRoot is the root element of a page.
const pageRoot = "ListBucketResult"

// withListing asks for a page to be read here.
func withListing(ctx context.Context) (context.Context, *listing) {
	l := &listing{}
	return context.WithValue(ctx, listingKey{}, l), l
}

// readPages reads the pages of listings before the library does, which then gets an empty response. A page with
// something unsupported is left to the library.
func readPages(stack *middleware.Stack) error {
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("readPages",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			res, ok := out.RawResponse.(*smithyhttp.Response)
			l, asked := ctx.Value(listingKey{}).(*listing)
			if !asked {
				return out, metadata, err
			}
			*l = listing{} // it may be another attempt
			if err == nil && ok && res.StatusCode == http.StatusOK {
				l.take(res)
			}
			return out, metadata, err
		}), "OperationDeserializer", middleware.After)
}

// take reads the body of a response. The library gets an error where it would have got it.
func (l *listing) take(res *smithyhttp.Response) {
	body, err := io.ReadAll(res.Body)
	var left io.Reader = bytes.NewReader(body)
	if l.err = err; err != nil {
		left = io.MultiReader(left, broken{err})
	} else if l.page = parsePage(body); l.page != nil {
		left = http.NoBody
	} else {
		l.none = objects.Root(body) != pageRoot
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{left, res.Body}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// parsePage reads a page; nil if it has something unsupported.
func parsePage(body []byte) *s3.ListObjectsV2Output {
	x := objects.NewXML(body, pageRoot)
	page := &s3.ListObjectsV2Output{}
	for name, ok := x.Next(pageRoot); ok; name, ok = x.Next(pageRoot) {
		switch name {
		case "Contents":
			page.Contents = append(page.Contents, types.Object{})
			parseObject(x, &page.Contents[len(page.Contents)-1])
		case "EncodingType":
			page.EncodingType = types.EncodingType(x.Text(name))
		case "IsTruncated":
			page.IsTruncated = parsed(x, x.Text(name), strconv.ParseBool)
		case "NextContinuationToken":
			page.NextContinuationToken = new(x.Text(name))
		case "MaxKeys", "KeyCount":
			_ = parsed(x, x.Text(name), strconv.Atoi)
		case "Name", "Prefix", "Delimiter", "ContinuationToken", "StartAfter":
			_ = x.Text(name) // not used
		default:
			x.Odd()
		}
	}
	if !x.Done() {
		return nil
	}
	return page
}

func parseObject(x *objects.XML, o *types.Object) {
	const within = "Contents"
	for name, ok := x.Next(within); ok; name, ok = x.Next(within) {
		switch name {
		case "Key":
			o.Key = new(x.Text(name))
		case "LastModified":
			o.LastModified = parsed(x, x.Text(name), smithytime.ParseDateTime)
		case "ETag":
			o.ETag = new(x.Text(name))
		case "Size":
			o.Size = parsed(x, x.Text(name), func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
		case "StorageClass":
			o.StorageClass = types.ObjectStorageClass(x.Text(name))
		case "Owner":
			if o.Owner != nil {
				x.Odd()
			}
			o.Owner = parseOwner(x)
		case "RestoreStatus":
			if o.RestoreStatus != nil {
				x.Odd()
			}
			o.RestoreStatus = parseRestored(x)
		case "ChecksumAlgorithm", "ChecksumType", "Type":
			_ = x.Text(name) // not used
		default:
			x.Odd()
		}
	}
}

func parseOwner(x *objects.XML) *types.Owner {
	o := &types.Owner{}
	for name, ok := x.Next("Owner"); ok; name, ok = x.Next("Owner") {
		switch name {
		case "ID":
			o.ID = new(x.Text(name))
		case "DisplayName":
			o.DisplayName = new(x.Text(name))
		default:
			x.Odd()
		}
	}
	return o
}

func parseRestored(x *objects.XML) *types.RestoreStatus {
	const within = "RestoreStatus"
	r := &types.RestoreStatus{}
	for name, ok := x.Next(within); ok; name, ok = x.Next(within) {
		switch name {
		case "IsRestoreInProgress":
			r.IsRestoreInProgress = parsed(x, x.Text(name), strconv.ParseBool)
		case "RestoreExpiryDate":
			r.RestoreExpiryDate = parsed(x, x.Text(name), smithytime.ParseDateTime)
		default:
			x.Odd()
		}
	}
	return r
}

// parsed is a value of another type than text.
func parsed[T any](x *objects.XML, text string, parse func(string) (T, error)) *T {
	v, err := parse(text)
	if err != nil {
		x.Odd()
	}
	return &v
}
