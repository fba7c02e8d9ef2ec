// Package toy is the smallest source there can be, to copy from. Its documents are the words of its configuration, its
// parts their first letters. A test puts it beside the built-in sources, to show that a new source is one folder, one
// import and one entry, and another holds it to the contract of a source.
package toy

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Type yields one document for each of its words.
var Type = source.Type{
	Name: "toy", Title: "Toy",
	Fields:      []field.Spec{{Name: "words", Label: "Words", Type: field.List, Order: 1, Tooltip: "The words to be mirrored, each once."}},
	ScopeFields: []string{"letter"},
	ScopeOf: func(_ field.Values, fields map[string]any) (string, bool) {
		letter, ok := fields["letter"].(string)
		return letter, ok
	},
	Open: func(_ context.Context, v field.Values, _ source.Env) (source.Source, error) {
		return toy{v.List("words")}, nil
	},
}

type toy struct{ words []string }

var _ source.Source = toy{}

// Validate checks what can be known without reading.
func (t toy) Validate(context.Context) error {
	seen := map[string]bool{}
	for _, w := range t.words {
		if seen[w] {
			return &source.Error{Kind: source.ErrConfig, Err: fmt.Errorf("words: %q is there twice", w), Hint: "remove one of the two"}
		}
		seen[w] = true
	}
	return nil
}

// Ping has no server to ask.
func (toy) Ping(ctx context.Context) error { return ctx.Err() }

func (toy) Close() error { return nil }

// Parts lists the first letters.
func (t toy) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		byLetter := map[string][]string{}
		for _, w := range t.words {
			letter := string([]rune(w)[:1])
			byLetter[letter] = append(byLetter[letter], w)
		}
		for _, letter := range slices.Sorted(maps.Keys(byLetter)) {
			if err := ctx.Err(); err != nil {
				yield(nil, fmt.Errorf("list the letters: %w", err))
				return
			}
			if !yield(&part{letter: letter, words: byLetter[letter]}, nil) {
				return
			}
		}
	}
}

// part is the words that begin with a letter.
type part struct {
	source.Ending
	letter string
	words  []string
}

var _ source.Part = (*part)(nil)

func (p *part) Scope() string { return p.letter }

func (p *part) Name() string { return p.letter }

func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for _, w := range p.words {
			if err := ctx.Err(); err != nil {
				yield(document.Document{}, &source.Error{Part: p.letter, Err: err})
				return
			}
			doc := document.Document{ID: w, Fields: []document.Field{
				{Name: "letter", Value: document.String(p.letter)},
				{Name: "upper", Value: document.String(strings.ToUpper(w))},
			}}
			if !yield(doc, nil) {
				return
			}
		}
		p.End()
	}
}
