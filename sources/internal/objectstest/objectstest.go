// Package objectstest has what the tests of object stores share: a source opened and read to its end, the content of a
// document, and how fast a large bucket is listed. It knows no store, and the program does not import it.
//
// Its invariant: it never hides an error of the source; it returns it or fails the test.
package objectstest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Required returns a variable that names a server. Without it the test is skipped, or fails where CI is
// set and nothing may be skipped.
func Required(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	switch {
	case v == "" && os.Getenv("CI") == "true":
		t.Fatalf("%s is not set", name)
	case v == "":
		t.Skipf("%s is not set", name)
	}
	return v
}

// Connect makes the client of a source, which is closed when the test ends.
func Connect[S io.Closer](t testing.TB, typ *source.Type, raw map[string]any, connect func(context.Context, field.Values) (S, error)) S {
	t.Helper()
	v, err := field.Parse(typ.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	st, err := connect(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// Open opens a source and closes it when the test ends.
func Open(t testing.TB, typ *source.Type, raw map[string]any, env source.Env) source.Source {
	t.Helper()
	v, err := field.Parse(typ.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	src, err := typ.Open(t.Context(), v, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

// Result is what was read from a source.
type Result struct {
	Docs   map[string]document.Document // by the requested field
	Failed map[string]error             // by scope; "" is the list of parts
	Parts  int
}

// Read reads all parts, one after the other. name is the field that identifies a document; a document
// that comes twice fails the test.
func Read(t testing.TB, src source.Source, name string) Result {
	t.Helper()
	r := Result{Docs: map[string]document.Document{}, Failed: map[string]error{}}
	for p, err := range src.Parts(t.Context()) {
		if err != nil {
			r.Failed[""] = err
			break
		}
		r.Parts++
		for doc, err := range p.Documents(t.Context()) {
			if err != nil {
				r.Failed[p.Scope()] = err
				break
			}
			key := Text(&doc, name)
			if _, twice := r.Docs[key]; twice {
				t.Errorf("%q was read twice", key)
			}
			r.Docs[key] = doc
		}
	}
	return r
}

// Text is a field as JSON has it, text without quotes, or "absent".
func Text(doc *document.Document, name string) string {
	v, ok := doc.Lookup(name)
	switch {
	case !ok:
		return "absent"
	case v.Kind() == document.KindString:
		return v.Text()
	}
	return string(v.AppendJSON(nil))
}

// Shown is the whole document, by field.
func Shown(doc document.Document) map[string]string {
	shown := map[string]string{"id": doc.ID, "_timestamp": doc.Timestamp}
	for _, f := range doc.Fields {
		shown[f.Name] = Text(&doc, f.Name)
	}
	return shown
}

// Content reads the content of a document.
func Content(t testing.TB, doc document.Document) (string, error) {
	t.Helper()
	if doc.Content == nil {
		return "", errors.New("no content")
	}
	r, err := doc.Content.Open(t.Context())
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

// With is a configuration with some values changed.
func With(values, more map[string]any) map[string]any {
	all := maps.Clone(values)
	maps.Copy(all, more)
	return all
}

// readers is how many parts are read at a time, the list of them among them, as the engine does by default.
const readers = 4

// Count reads a source as the engine does: the list of parts takes one of the readers, and reads a part itself if no
// other reader is free. It discards the documents.
func Count(ctx context.Context, src source.Source) (int, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total int
		errs  []error
	)
	read := func(p source.Part) {
		n := 0
		var failed error
		for _, err := range p.Documents(ctx) {
			if failed = err; err != nil {
				break
			}
			n++
		}
		mu.Lock()
		defer mu.Unlock()
		total, errs = total+n, append(errs, failed)
	}
	free := make(chan struct{}, readers-1)
	for p, err := range src.Parts(ctx) {
		if err != nil {
			mu.Lock()
			errs = append(errs, err)
			mu.Unlock()
			break
		}
		select {
		case free <- struct{}{}:
			wg.Go(func() { // ends with the part
				defer func() { <-free }()
				read(p)
			})
		default:
			read(p)
		}
	}
	wg.Wait()
	return total, errors.Join(errs...)
}
