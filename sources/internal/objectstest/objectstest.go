// Package objectstest has what the tests of object stores share: the cases that apply to all of them ([Store]), which a
// test calls with its own store; the part of a simulated store that does not depend on its protocol ([Fake]); the
// content of a document; and how fast a large bucket is listed. It knows no store, and the program does not import it.
//
// Its invariant: it never hides an error of the source; it returns it or fails the test.
package objectstest

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

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
