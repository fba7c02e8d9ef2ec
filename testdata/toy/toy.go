// Package toy is the smallest source there can be. A test puts it beside the built-in ones, to show
// that a new source is one folder, one import and one entry.
package toy

import (
	"context"
	"iter"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Type yields one document for each of its words.
var Type = source.Type{
	Name: "toy", Title: "Toy",
	Fields: []field.Spec{{Name: "words", Label: "Words", Type: field.List, Order: 1}},
	Open: func(_ context.Context, v field.Values, _ source.Env) (source.Source, error) {
		return toy{v.List("words")}, nil
	},
}

type toy struct{ words []string }

func (toy) Validate(context.Context) error { return nil }

func (toy) Ping(context.Context) error { return nil }

func (toy) Close() error { return nil }

func (t toy) Parts(context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) { yield(t, nil) }
}

func (toy) Scope() string { return "words" }

func (toy) Name() string { return "words" }

// Ended is true: the words are in memory.
func (toy) Ended() bool { return true }

func (t toy) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for _, w := range t.words {
			fields := []document.Field{{Name: "upper", Value: document.String(strings.ToUpper(w))}}
			if !yield(document.Document{ID: w, Fields: fields}, nil) {
				return
			}
		}
	}
}
