package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

var _ objects.Store = (*store)(nil)

// store is a client of Google Cloud Storage.
type store struct {
	client    *storage.Client
	transport *http.Transport
	project   string

	mu   sync.Mutex
	pays map[string]bool // buckets that require a project that pays
}

// The pages and times of Google's service.
const (
	pageSize       = 1000
	connectTimeout = 30 * time.Second
	readTimeout    = 90 * time.Second
)

func connect(ctx context.Context, v field.Values) (*store, error) {
	st := newStore()
	st.project = v.String(fieldProject)
	options, err := st.options(v)
	if err != nil {
		return nil, err
	}
	if err := st.connect(ctx, options, v.Int(fieldRetries)); err != nil {
		return nil, err
	}
	return st, nil
}

func newStore() *store {
	st := &store{transport: http.DefaultTransport.(*http.Transport).Clone(), pays: map[string]bool{}}
	objects.Prepare(st.transport, objects.Timeouts{Connect: connectTimeout, Read: readTimeout}, true)
	return st
}

func (st *store) connect(ctx context.Context, options []option.ClientOption, retries int) (err error) {
	st.client, err = storage.NewClient(ctx, append(options, storage.WithJSONReads(), option.WithTelemetryDisabled())...)
	if err != nil {
		return &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("create a client: %w", err)}
	}
	st.client.SetRetry(storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(retries+1))
	return nil
}

// options are the address of the store and the credentials.
func (st *store) options(v field.Values) ([]option.ClientOption, error) {
	plain := &http.Client{Transport: st.transport, CheckRedirect: objects.NoRedirect}
	var key *account
	if text := v.String(fieldCredentials); text != "" {
		var err error
		if key, err = parseAccount(text); err != nil {
			return nil, err
		}
		if st.project == "" {
			st.project = key.project
		}
	}
	if endpoint := v.String(fieldEndpoint); endpoint != "" {
		if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, &source.Error{
				Kind: source.ErrConfig, Err: errors.New(fieldEndpoint + " is not an address"),
				Hint: "write scheme, host and path, such as http://127.0.0.1:4443/storage/v1/",
			}
		}
		return []option.ClientOption{option.WithEndpoint(endpoint), option.WithoutAuthentication(), option.WithHTTPClient(plain)}, nil
	}
	if os.Getenv("STORAGE_EMULATOR_HOST") != "" { // the library sends its requests there, without credentials
		return []option.ClientOption{option.WithHTTPClient(plain)}, nil
	}
	found, err := find(key, plain)
	if err != nil {
		return nil, err
	}
	return withCredentials(found, st.transport)
}

func withCredentials(c *auth.Credentials, base http.RoundTripper) ([]option.ClientOption, error) {
	client, err := httptransport.NewClient(&httptransport.Options{Credentials: c, BaseRoundTripper: base, DisableTelemetry: true})
	if err != nil {
		return nil, &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("use the credentials: %w", err)}
	}
	client.CheckRedirect = objects.NoRedirect
	return []option.ClientOption{option.WithAuthCredentials(c), option.WithHTTPClient(client)}, nil
}

// Buckets lists the buckets of the project.
func (st *store) Buckets(ctx context.Context, token string) (names []string, next string, err error) {
	if st.project == "" {
		return nil, "", &source.Error{
			Kind: source.ErrConfig, Err: errors.New("cannot list buckets without a project"),
			Hint: "set project_id:, or list the buckets to read in buckets:",
		}
	}
	it := st.client.Buckets(ctx, st.project)
	it.PageInfo().Token, it.PageInfo().MaxSize = token, pageSize
	for {
		b, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return names, "", nil
		}
		if err != nil {
			return nil, "", err
		}
		if names = append(names, b.Name); it.PageInfo().Remaining() == 0 {
			return names, it.PageInfo().Token, nil
		}
	}
}

// Seeks is true of every bucket.
func (st *store) Seeks(string) bool { return true }

// selected are the attributes that documents are made of.
var selected = []string{
	"Bucket", "Name", "Size", "Generation", "Created", "Updated", "ContentType", "ContentEncoding", "ContentLanguage",
	"StorageClass", "Metadata", "ComponentCount",
}

// List lists one page.
func (st *store) List(ctx context.Context, q objects.Query) (objects.Page, error) {
	query := &storage.Query{Prefix: q.Prefix, StartOffset: q.After, Projection: storage.ProjectionNoACL}
	if err := query.SetAttrSelection(selected); err != nil {
		return objects.Page{}, err
	}
	most := q.Most
	if most == 0 {
		most = pageSize
	}
	var page objects.Page
	err := st.paying(q.Bucket, func(b *storage.BucketHandle) error {
		page = objects.Page{}
		it := b.Objects(ctx, query)
		it.PageInfo().Token, it.PageInfo().MaxSize = q.Token, most
		for {
			attrs, err := it.Next()
			if errors.Is(err, iterator.Done) {
				return nil
			}
			if err != nil {
				return err
			}
			page.Objects = append(page.Objects, st.object(attrs))
			if it.PageInfo().Remaining() == 0 {
				page.Next = it.PageInfo().Token
				return nil
			}
		}
	})
	return page, err
}

func (st *store) object(attrs *storage.ObjectAttrs) objects.Object {
	o := objects.Object{
		Key: attrs.Name, Size: attrs.Size, Version: fmt.Sprint(attrs.Generation), Readable: true,
		Document: func() document.Document { return st.document(attrs) },
	}
	if attrs.ContentEncoding == "gzip" {
		o.Size = -1 // it is decompressed in transit
	}
	return o
}

// Open reads the listed generation.
func (st *store) Open(ctx context.Context, bucket string, o objects.Object, offset int64) (io.ReadCloser, error) {
	if o.Size < 0 && offset > 0 {
		return nil, errors.New("content that is decompressed in transit cannot be read from an offset")
	}
	var generation int64
	if _, err := fmt.Sscan(o.Version, &generation); err != nil {
		return nil, err
	}
	var r *storage.Reader
	err := st.paying(bucket, func(b *storage.BucketHandle) (err error) {
		r, err = b.Object(o.Key).Generation(generation).NewRangeReader(ctx, offset, -1)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrObjectNotExist), errors.Is(err, storage.ErrBucketNotExist):
		return nil, objects.ErrGone
	case err != nil:
		return nil, err
	}
	return r, nil
}

// paying makes a request, and repeats it with a project that pays if the response requires one. For any other bucket
// that would need a right on the project that few accounts have.
func (st *store) paying(bucket string, request func(*storage.BucketHandle) error) error {
	handle := st.client.Bucket(bucket)
	st.mu.Lock()
	pays := st.pays[bucket]
	st.mu.Unlock()
	if pays {
		return request(handle.UserProject(st.project))
	}
	err := request(handle)
	if err == nil || st.project == "" || !asksForProject(err) {
		return err
	}
	st.mu.Lock()
	st.pays[bucket] = true
	st.mu.Unlock()
	return request(handle.UserProject(st.project))
}

// Close releases the client.
func (st *store) Close() error {
	err := st.client.Close()
	st.transport.CloseIdleConnections()
	return err
}
