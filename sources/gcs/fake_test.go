package gcs

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/objectstest"
)

// fake speaks as much of the JSON API as the source asks for, without credentials.
type fake struct{ objectstest.Fake[stored] }

type stored struct {
	data       string
	generation int64
	more       map[string]any // further attributes
}

func newFake(t testing.TB, buckets map[string]map[string]string) (*fake, map[string]any) {
	t.Helper()
	f := &fake{}
	address := f.Start(t, f.answer, buckets, func(data string) *stored { return &stored{data: data, generation: 1700000000000001} })
	return f, map[string]any{"buckets": f.Names(), "endpoint_url": address + "/storage/v1/", "project_id": "project", "retry_count": 0}
}

// suite is Google's storage for the cases that all object stores share.
var suite = objectstest.Store[*store, *fake]{
	Type: &Type, Connect: connect, Name: nameField, Buckets: fieldBuckets, Endpoint: fieldEndpoint, Retries: fieldRetries,
	Fake: newFake, Refuse: func(w http.ResponseWriter, status int, reason string) { refuse(w, status, reason, "you may not") }, Denied: "forbidden",
}

func refuse(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"reason": reason, "message": message}},
	}})
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/storage/v1/b"), "/")
	for i := range path {
		path[i], _ = url.PathUnescape(path[i])
	}
	switch {
	case len(path) == 1:
		f.list(w, r.URL.Query(), f.Names(), func(name string) map[string]any { return map[string]any{"name": name} })
	case f.Buckets[path[1]] == nil:
		refuse(w, 404, "notFound", "The specified bucket does not exist.")
	case len(path) == 3:
		objects := f.Buckets[path[1]]
		f.list(w, r.URL.Query(), objectstest.Keys(objects), func(name string) map[string]any { return attributes(path[1], name, objects[name]) })
	default:
		o := f.Buckets[path[1]][strings.Join(path[3:], "/")]
		if o == nil || r.URL.Query().Get("generation") != fmt.Sprint(o.generation) {
			refuse(w, 404, "notFound", "No such object")
			return
		}
		objectstest.WriteFrom(w, r.Header.Get("Range"), o.data)
	}
}

func (f *fake) list(w http.ResponseWriter, q url.Values, names []string, item func(string) map[string]any) {
	token := q.Get("pageToken")
	page, more := f.InPage(names, q.Get("maxResults"), func(name string) bool {
		return name >= q.Get("startOffset") && strings.HasPrefix(name, q.Get("prefix")) && (token == "" || name > token)
	})
	answer := map[string]any{}
	if more != "" {
		answer["nextPageToken"] = page[len(page)-1]
	}
	var items []any
	for _, name := range page {
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
