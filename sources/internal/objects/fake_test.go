package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

// fake is a store in memory. Its keys are sorted.
type fake struct {
	keys    map[string][]string
	page    int
	latency time.Duration
	deaf    bool // it ignores where a listing is to start, and says that it does not
	unsure  bool // the same, and does not know it
	// list stands in for List where it is set and handles the query.
	list func(q Query) (page Page, handled bool, err error)
	open func(offset int64) (io.ReadCloser, error)

	mu    sync.Mutex
	calls []Query
}

var errDenied = errors.New("denied")

func (f *fake) Buckets(_ context.Context, token string) (names []string, next string, err error) {
	for name := range f.keys {
		names = append(names, name)
	}
	slices.Sort(names)
	i := 0
	if token != "" {
		i, _ = strconv.Atoi(token)
	}
	if i+1 < len(names) {
		next = strconv.Itoa(i + 1)
	}
	return names[i : i+1], next, nil
}

func (f *fake) Seeks(string) bool { return !f.deaf }
func (f *fake) Close() error      { return nil }

func (f *fake) List(ctx context.Context, q Query) (Page, error) {
	if f.latency > 0 {
		t := time.NewTimer(f.latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return Page{}, ctx.Err()
		}
	}
	f.mu.Lock()
	f.calls = append(f.calls, q)
	f.mu.Unlock()
	if f.list != nil {
		if page, handled, err := f.list(q); handled || err != nil {
			return page, err
		}
	}
	keys, ok := f.keys[q.Bucket]
	if !ok {
		return Page{}, errDenied
	}
	from := q.Token
	if q.Token == "" && !f.deaf && !f.unsure {
		from = q.After
	}
	from = max(from, q.Prefix)
	i, _ := slices.BinarySearch(keys, from)
	if q.Token != "" && i < len(keys) && keys[i] == from {
		i++
	}
	most := f.page
	if q.Most > 0 {
		most = q.Most
	}
	var page Page
	for ; i < len(keys) && strings.HasPrefix(keys[i], q.Prefix) && len(page.Objects) < most; i++ {
		page.Objects = append(page.Objects, f.object(q.Bucket, keys[i]))
	}
	if i < len(keys) && strings.HasPrefix(keys[i], q.Prefix) {
		page.Next = keys[i-1]
	}
	return page, nil
}

func (f *fake) object(bucket, key string) Object {
	return Object{Key: key, Size: 10, Version: "1", Readable: true, Document: func() document.Document {
		return document.Document{ID: bucket + "/" + key, Timestamp: "t", Fields: []document.Field{{Name: "key", Value: document.String(key)}}}
	}}
}

func (f *fake) Open(_ context.Context, _ string, _ Object, offset int64) (io.ReadCloser, error) {
	return f.open(offset)
}

func (f *fake) Failure(err error) *source.Error {
	if failure, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: failure.Kind, Err: failure.Err}
	}
	if errors.Is(err, errDenied) {
		return &source.Error{Kind: source.ErrAuth, Err: err}
	}
	return &source.Error{Err: err}
}

func (f *fake) queries() []Query {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func newSource(t testing.TB, f *fake, names ...string) *Source {
	t.Helper()
	n, err := ParseNames("buckets", names)
	if err != nil {
		t.Fatal(err)
	}
	if f.page == 0 {
		f.page = 10
	}
	return New(Config{
		Store: f, Noun: "bucket", Field: "buckets", Names: n, Env: source.Env{Log: slog.New(slog.DiscardHandler)},
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
}

// read reads all parts; keys are in the order in which they came, errs by the scope that failed, "" for the list of parts.
func read(t testing.TB, s *Source) (keys []string, errs map[string]error, parts []string) {
	t.Helper()
	r := sourcetest.Read(t, s.Parts(t.Context()))
	for _, doc := range r.Docs {
		v, _ := doc.Lookup("key")
		keys = append(keys, v.Text())
	}
	for _, p := range r.Parts {
		parts = append(parts, p.Name())
	}
	if r.Err != nil {
		r.Failed[""] = r.Err
	}
	return keys, r.Failed, parts
}

func numbered(format string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(format, i)
	}
	slices.Sort(keys)
	return keys
}
