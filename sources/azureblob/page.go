package azureblob

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime/datetime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// listing is what is known of a response before the library reads it.
type listing struct {
	page *page // nil where the library has to read it
	none bool  // it is not a page of a listing at all
}

type listingKey struct{}

// pageRoot is the root element of a page.
const pageRoot = "EnumerationResults"

// withListing asks for a page to be read here.
func withListing(ctx context.Context) (context.Context, *listing) {
	l := &listing{}
	return context.WithValue(ctx, listingKey{}, l), l
}

var _ policy.Policy = readPages{}

// readPages reads the pages of listings before the library does, which then gets an empty response. A page with
// something unsupported is left to the library.
type readPages struct{}

// Do implements [policy.Policy].
func (readPages) Do(r *policy.Request) (*http.Response, error) {
	res, err := r.Next()
	l, asked := r.Raw().Context().Value(listingKey{}).(*listing)
	if err != nil || !asked || res.StatusCode != http.StatusOK {
		return res, err
	}
	body, err := runtime.Payload(res) // which keeps it for the library
	if err != nil {
		return res, err
	}
	if l.page = parsePage(body); l.page != nil {
		res.Body = http.NoBody
	} else {
		l.none = objects.Root(body) != pageRoot
	}
	return res, nil
}

// page is the part of a page that is used.
type page struct {
	blobs []*container.BlobItem
	next  string
}

// parsePage reads a page; nil if it has something unsupported.
func parsePage(body []byte) *page {
	x := objects.NewXML(body, pageRoot)
	p := &page{}
	seen := false
	for name, ok := x.Next(pageRoot); ok; name, ok = x.Next(pageRoot) {
		switch name {
		case "Blobs":
			if seen {
				x.Odd()
			}
			seen = true
			p.blobs = parseBlobs(x)
		case "NextMarker":
			p.next = x.Text(name)
		case "Prefix", "Marker", "MaxResults", "Delimiter", "StartFrom":
			_ = x.Text(name) // not used
		default:
			x.Odd()
		}
	}
	if !x.Done() {
		return nil
	}
	return p
}

func parseBlobs(x *objects.XML) (blobs []*container.BlobItem) {
	for name, ok := x.Next("Blobs"); ok; name, ok = x.Next("Blobs") {
		if name != "Blob" {
			x.Odd()
			break
		}
		b := &container.BlobItem{}
		blobs = append(blobs, b)
		for name, ok := x.Next("Blob"); ok; name, ok = x.Next("Blob") {
			switch name {
			case "Name":
				b.Name = new(x.Text(name))
			case "Properties":
				if b.Properties != nil {
					x.Odd()
				}
				b.Properties = parseProperties(x)
			case "Metadata":
				if b.Metadata != nil {
					x.Odd()
				}
				b.Metadata = parseMetadata(x, name)
			case "VersionId":
				_ = x.Text(name) // not used, like the names of replication rules
			case "OrMetadata":
				_ = parseMetadata(x, name)
			default: // a version, a snapshot, or a deleted blob, which are not requested
				x.Odd()
			}
		}
	}
	return blobs
}

func parseProperties(x *objects.XML) *container.BlobProperties {
	const within = "Properties"
	p := &container.BlobProperties{}
	for name, ok := x.Next(within); ok; name, ok = x.Next(within) {
		text := x.Text(name) // none of them has members
		switch name {
		case "Creation-Time":
			p.CreationTime = parseTime(x, text)
		case "Last-Modified":
			p.LastModified = parseTime(x, text)
		case "Etag":
			p.ETag = new(azcore.ETag(text))
		case "Content-Length":
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				x.Odd()
			}
			p.ContentLength = &n
		case "Content-Type":
			p.ContentType = &text
		case "AccessTier":
			p.AccessTier = new(container.AccessTier(text))
		case "ArchiveStatus":
			p.ArchiveStatus = new(container.ArchiveStatus(text))
		case "LeaseStatus":
			p.LeaseStatus = new(lease.StatusType(text))
		case "LeaseState":
			p.LeaseState = new(lease.StateType(text))
		case "LeaseDuration":
			p.LeaseDuration = new(lease.DurationType(text))
		}
	}
	return p
}

func parseTime(x *objects.XML, text string) *time.Time {
	var t datetime.RFC7231
	if err := t.UnmarshalText([]byte(text)); err != nil {
		x.Odd()
	}
	if time.Time(t).IsZero() {
		return nil
	}
	return (*time.Time)(&t)
}

// parseMetadata reads names in lower case, as the library does.
func parseMetadata(x *objects.XML, within string) (m map[string]*string) {
	for name, ok := x.Next(within); ok; name, ok = x.Next(within) {
		if m == nil {
			m = map[string]*string{}
		}
		m[strings.ToLower(name)] = new(x.Text(name))
	}
	return m
}
