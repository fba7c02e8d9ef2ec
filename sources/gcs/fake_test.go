package gcs

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of the JSON API as the source asks for, without credentials.
type fake struct {
	objectstest.Front

	buckets map[string]map[string]*stored
	page    int
}

type stored struct {
	data       string
	generation int64
	more       map[string]any // further attributes
}

func newFake(t *testing.T, buckets map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{buckets: map[string]map[string]*stored{}, page: 1000}
	for name, objects := range buckets {
		f.buckets[name] = map[string]*stored{}
		for key, data := range objects {
			f.buckets[name][key] = &stored{data: data, generation: 1700000000000001}
		}
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, map[string]any{
		"buckets": slices.Sorted(maps.Keys(buckets)), "endpoint_url": server.URL + "/storage/v1/", "project_id": "project", "retry_count": 0,
	}
}

func refuse(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"reason": reason, "message": message}},
	}})
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.Answer(w, r, f.answer) }

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/storage/v1/b"), "/")
	for i := range path {
		path[i], _ = url.PathUnescape(path[i])
	}
	switch {
	case len(path) == 1:
		f.list(w, r.URL.Query(), slices.Sorted(maps.Keys(f.buckets)), func(name string) map[string]any { return map[string]any{"name": name} })
	case f.buckets[path[1]] == nil:
		refuse(w, 404, "notFound", "The specified bucket does not exist.")
	case len(path) == 3:
		objects := f.buckets[path[1]]
		f.list(w, r.URL.Query(), slices.Sorted(maps.Keys(objects)), func(name string) map[string]any { return attributes(path[1], name, objects[name]) })
	default:
		o := f.buckets[path[1]][strings.Join(path[3:], "/")]
		if o == nil || r.URL.Query().Get("generation") != fmt.Sprint(o.generation) {
			refuse(w, 404, "notFound", "No such object")
			return
		}
		from := 0
		defer func() { _, _ = io.WriteString(w, o.data[from:]) }()
		if value, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			from, _ = strconv.Atoi(strings.TrimSuffix(value, "-"))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(o.data)-1, len(o.data)))
			w.Header().Set("Content-Length", fmt.Sprint(len(o.data)-from))
			w.WriteHeader(206)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(o.data)))
	}
}

func (f *fake) list(w http.ResponseWriter, q url.Values, names []string, item func(string) map[string]any) {
	most, _ := strconv.Atoi(q.Get("maxResults"))
	if most == 0 || most > f.page {
		most = f.page
	}
	answer := map[string]any{}
	var items []any
	for _, name := range names {
		if name < q.Get("startOffset") || !strings.HasPrefix(name, q.Get("prefix")) || q.Has("pageToken") && q.Get("pageToken") != "" && name <= q.Get("pageToken") {
			continue
		}
		if len(items) == most {
			answer["nextPageToken"] = items[most-1].(map[string]any)["name"]
			break
		}
		items = append(items, item(name))
	}
	if items != nil {
		answer["items"] = items
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func attributes(bucket, name string, o *stored) map[string]any {
	a := map[string]any{
		"bucket": bucket, "name": name, "size": fmt.Sprint(len(o.data)), "generation": fmt.Sprint(o.generation), "storageClass": "STANDARD",
		"timeCreated": "2024-01-02T03:04:05.678Z", "updated": "2024-01-02T03:04:06.000Z",
	}
	maps.Copy(a, o.more)
	return a
}

func opened(t *testing.T, raw map[string]any) source.Source {
	t.Helper()
	return objectstest.Open(t, &Type, raw, source.Env{})
}

// storeOf is the client that a source has.
func storeOf(t *testing.T, raw map[string]any) *store {
	t.Helper()
	return objectstest.Connect(t, &Type, raw, connect)
}

// read reads all: documents by their names, and errors by their scopes.
func read(t *testing.T, src source.Source) (docs map[string]document.Document, failed map[string]error) {
	t.Helper()
	r := objectstest.Read(t, src, nameField)
	return r.Docs, r.Failed
}
