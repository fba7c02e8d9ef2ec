package sourcetest

import (
	"iter"
	"log/slog"
	"slices"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Open opens a source and closes it when the test ends. Without a logger in env it gets a silent one.
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
	Docs   []document.Document // in the order in which they were read
	Parts  []source.Part       // in the order in which they were listed
	Failed map[string]error    // by scope, the error that ended a part
	Err    error               // the error that ended the list of parts
}

// Read reads all parts of a list, one after the other.
func Read(t testing.TB, parts iter.Seq2[source.Part, error]) Result {
	t.Helper()
	r := Result{Failed: map[string]error{}}
	for part, err := range parts {
		if err != nil {
			r.Err = err
			break
		}
		r.Parts = append(r.Parts, part)
		for doc, err := range part.Documents(t.Context()) {
			if err != nil {
				r.Failed[part.Scope()] = err
				break
			}
			doc.Fields = slices.Clone(doc.Fields) // the source may use its memory again
			r.Docs = append(r.Docs, doc)
		}
	}
	return r
}
