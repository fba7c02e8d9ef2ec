package azureblob

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// Buckets lists the containers of the account.
func (st *store) Buckets(ctx context.Context, token string) (names []string, next string, err error) {
	o := &service.ListContainersOptions{Include: service.ListContainersInclude{Metadata: true}}
	if token != "" {
		o.Marker = &token
	}
	page, err := st.client.NewListContainersPager(o).NextPage(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, c := range page.ContainerItems {
		if c == nil || c.Name == nil {
			continue
		}
		names = append(names, *c.Name)
		st.keepMetadata(*c.Name, c.Metadata)
	}
	return names, value(page.NextMarker), nil
}

// Seeks is tried: the service starts a listing anywhere; emulators and older versions ignore the request, which the
// first response shows.
func (st *store) Seeks(string) bool { return true }

// List lists one page.
func (st *store) List(ctx context.Context, q objects.Query) (objects.Page, error) {
	o := &container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{Metadata: true}}
	if q.Prefix != "" {
		o.Prefix = &q.Prefix
	}
	if q.After != "" {
		o.StartFrom = &q.After
	}
	if q.Token != "" {
		o.Marker = &q.Token
	}
	if q.Most > 0 {
		o.MaxResults = new(int32(q.Most)) //nolint:gosec // a few
	}
	c := st.client.NewContainerClient(q.Bucket)
	blobs, next, err := st.blobs(ctx, c, o)
	if err != nil {
		return objects.Page{}, err
	}
	page := objects.Page{Next: next, Objects: make([]objects.Object, 0, len(blobs))}
	if len(blobs) == 0 {
		return page, nil
	}
	of := st.metadataOf(ctx, q.Bucket, c)
	for _, b := range blobs {
		if b == nil || b.Name == nil || b.Properties == nil || st.skipFolders && isFolder(b) {
			continue
		}
		page.Objects = append(page.Objects, objects.Object{
			Key: *b.Name, Size: value(b.Properties.ContentLength), Version: string(value(b.Properties.ETag)), Readable: readable(b.Properties),
			Document: func() document.Document { return documentOf(q.Bucket, of, b) },
		})
	}
	return page, nil
}

// blobs asks for one page.
func (st *store) blobs(ctx context.Context, c *container.Client, o *container.ListBlobsFlatOptions) (blobs []*container.BlobItem, next string, err error) {
	ctx, here := withListing(ctx)
	answer, err := c.NewListBlobsFlatPager(o).NextPage(ctx)
	switch {
	case here.none:
		return nil, "", errNoListing
	case err != nil:
		return nil, "", err
	case here.page != nil:
		return here.page.blobs, here.page.next, nil
	case answer.Segment != nil:
		blobs = answer.Segment.BlobItems
	}
	return blobs, value(answer.NextMarker), nil
}

// isFolder reports whether a blob is the entry of a directory, as accounts with a hierarchical namespace have.
func isFolder(b *container.BlobItem) bool {
	for key, v := range b.Metadata {
		if strings.EqualFold(key, "hdi_isfolder") && strings.EqualFold(value(v), "true") {
			return true
		}
	}
	return false
}

// readable reports whether a blob can be read without rehydrating it first.
func readable(p *container.BlobProperties) bool {
	return value(p.AccessTier) != container.AccessTierArchive && p.ArchiveStatus == nil
}

func documentOf(name string, containerMetadata document.Value, b *container.BlobItem) document.Document {
	p := b.Properties
	created, doc := document.Null(), document.Document{ID: name + "/" + *b.Name}
	if p.CreationTime != nil {
		created = document.String(objects.ISO(*p.CreationTime))
	}
	if p.LastModified != nil {
		doc.Timestamp = objects.ISO(*p.LastModified)
	}
	doc.Fields = []document.Field{
		{Name: createdField, Value: created},
		{Name: typeField, Value: objects.TextOrNull(value(p.ContentType))},
		{Name: containerMetadataField, Value: containerMetadata},
		{Name: metadataField, Value: document.String(dictionary(b.Metadata))},
		{Name: leaseField, Value: document.String(leaseText(p))},
		{Name: titleField, Value: document.String(*b.Name)},
		{Name: tierField, Value: objects.TextOrNull(string(value(p.AccessTier)))},
		{Name: sizeField, Value: document.Int(value(p.ContentLength))},
		{Name: containerField, Value: document.String(name)},
		{Name: etagField, Value: objects.TextOrNull(strings.Trim(string(value(p.ETag)), `"`))},
	}
	return doc
}

// leaseText is in the form that Elastic's connectors use, a Python dictionary.
func leaseText(p *container.BlobProperties) string {
	duration := "None"
	if p.LeaseDuration != nil {
		duration = quoted(strings.ToLower(string(*p.LeaseDuration)))
	}
	text := func(s string) string {
		if s == "" {
			return "None"
		}
		return quoted(strings.ToLower(s))
	}
	return fmt.Sprintf("{'status': %s, 'state': %s, 'duration': %s}", text(string(value(p.LeaseStatus))), text(string(value(p.LeaseState))), duration)
}

// dictionary writes metadata as Python writes a dictionary, its keys sorted.
func dictionary(m map[string]*string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, quoted(key)+": "+quoted(value(m[key])))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// keepMetadata notes the metadata of a container from the list of containers.
func (st *store) keepMetadata(name string, m map[string]*string) document.Value {
	text := "None"
	if len(m) > 0 {
		text = dictionary(m)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.metadata[name] = document.String(text)
	return st.metadata[name]
}

// metadataOf is the metadata of a container, requested once. Whoever may list its blobs may not be allowed to request
// it; then there is none.
func (st *store) metadataOf(ctx context.Context, name string, c *container.Client) document.Value {
	st.mu.Lock()
	known, ok := st.metadata[name]
	st.mu.Unlock()
	if ok {
		return known
	}
	p, err := c.GetProperties(ctx, nil)
	if err != nil {
		return st.keepMetadata(name, nil)
	}
	return st.keepMetadata(name, p.Metadata)
}

// Open reads a blob on condition of its ETag.
func (st *store) Open(ctx context.Context, bucket string, o objects.Object, offset int64) (io.ReadCloser, error) {
	in := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: offset}}
	if o.Version != "" {
		in.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: new(azcore.ETag(o.Version))}}
	}
	answer, err := st.client.NewContainerClient(bucket).NewBlobClient(o.Key).DownloadStream(ctx, in)
	switch {
	case err == nil:
		return answer.Body, nil
	case bloberror.HasCode(err, bloberror.BlobArchived):
		return nil, fmt.Errorf("%w: it is archived", objects.ErrGone)
	case bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound, bloberror.ResourceNotFound):
		return nil, objects.ErrGone
	case bloberror.HasCode(err, bloberror.ConditionNotMet):
		return nil, objects.ErrReplaced
	}
	return nil, err
}

// value is what a pointer points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
