package objectstest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Fake is a simulated store. O is an object as the store keeps it.
type Fake[O any] struct {
	Front
	Buckets map[string]map[string]*O
}

// Start fills the store with objects of some data, and starts its server. It returns the address.
func (f *Fake[O]) Start(t testing.TB, store http.HandlerFunc, buckets map[string]map[string]string, object func(data string) *O) (address string) {
	t.Helper()
	f.Page, f.store = 1000, store
	f.Buckets = map[string]map[string]*O{}
	for name, objects := range buckets {
		f.Buckets[name] = map[string]*O{}
		for key, data := range objects {
			f.Buckets[name][key] = object(data)
		}
	}
	server := httptest.NewServer(&f.Front)
	t.Cleanup(server.Close)
	return server.URL
}

// Names are the buckets, sorted.
func (f *Fake[O]) Names() []string { return Keys(f.Buckets) }

// Keys are the keys of a map, sorted as stores list them.
func Keys[O any](objects map[string]O) []string { return slices.Sorted(maps.Keys(objects)) }

// InPage are those names that a page of a listing has: the wanted ones, as many as were requested and as a page of the
// store may have. next is the name after them, "" at the end.
func (f *Front) InPage(names []string, requested string, wanted func(name string) bool) (page []string, next string) {
	most, _ := strconv.Atoi(requested)
	if most == 0 || most > f.Page {
		most = f.Page
	}
	for _, name := range names {
		if !wanted(name) {
			continue
		}
		if len(page) == most {
			return page, name
		}
		page = append(page, name)
	}
	return page, ""
}

// WriteFrom responds with data, or with the rest of it that a range requests, such as bytes=5-.
func WriteFrom(w http.ResponseWriter, requested, data string) {
	from, status := 0, http.StatusOK
	if value, ok := strings.CutPrefix(requested, "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(value, "-"))
		status = http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, data[from:])
}

// Escaped is a text in XML.
func Escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// Always is an HTTP client that gets the same response to every request, with status 200.
type Always []byte

// Do responds to a request.
func (a Always) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}
