package commands

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// scripted is a source type for tests. It obeys a JSON file, so that every exit code can be reached without a
// server.
var scripted = scriptedWithin(&limit{})

// scriptedWithin is the scripted type with parts that can end a time limit.
func scriptedWithin(l *limit) source.Type {
	return source.Type{
		Name: "scripted", Title: "Scripted",
		Fields: []field.Spec{
			{Name: "script", Label: "Script", Order: 1, Path: true},
			{Name: "password", Label: "Password", Order: 2, Optional: true, Sensitive: true},
		},
		AccessControl: true,
		ScopeNoun:     source.Noun("table"),
		ScopeFields:   []string{"scope"},
		ScopeOf: func(_ field.Values, fields map[string]any) (string, bool) {
			scope, ok := fields["scope"].(string)
			return scope, ok
		},
		Open: func(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
			text, err := os.ReadFile(v.String("script"))
			if err != nil {
				return nil, &source.Error{Kind: source.ErrConfig, Err: err, Hint: "write the script"}
			}
			s := &script{warn: func(msg string) { env.Log.Warn("script", "says", msg) }, limit: l}
			if err := json.Unmarshal(text, s); err != nil {
				return nil, err
			}
			return s, nil
		},
	}
}

// limit is a time limit that ends when a script says so and never earlier, so that the speed of the machine
// does not matter. The value of --max-duration is ignored.
type limit struct{ over context.CancelFunc }

func (l *limit) begin(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	ctx, l.over = context.WithCancel(ctx)
	return ctx, l.over
}

// script is the file.
type script struct {
	Pinged string                      `json:"ping"` // a failure, see fail
	List   string                      // a failure after the parts
	All    []*scriptPart               `json:"parts"`
	Who    []struct{ ID, Name string } `json:"identities"`
	warn   func(string)
	limit  *limit
}

type scriptPart struct {
	source.Ending
	Of     string           `json:"scope"`
	Called string           `json:"name"` // "" for the scope
	Docs   []scriptDocument `json:"documents"`
	Fail   string           // a failure after the documents
	Block  bool             // wait for the end of the run after the documents
	Deaf   bool             // the same, but ignore the end of the run
	Late   bool             // the same, and the time limit ends first
	script *script
}

type scriptDocument struct {
	ID      string
	Fields  map[string]string
	Content string // a failure of its content
}

// fail creates a failure from a word: the kind, and the message after a colon.
func fail(word string) error {
	kind, text, _ := strings.Cut(word, ": ")
	switch kind {
	case "":
		return nil
	case "panic":
		panic(text)
	case "unmatched": // and the configured name
		return &source.Error{Kind: source.ErrConfig, Err: &source.UnmatchedError{
			Err: fmt.Errorf("table %q of the configuration does not exist", text), Of: func(scope string) bool { return scope == text },
		}}
	case "failure":
		return errors.New(text)
	}
	kinds := map[string]error{
		"config": source.ErrConfig, "auth": source.ErrAuth, "unreachable": source.ErrUnreachable, "temporary": source.ErrTemporary,
	}
	return &source.Error{Kind: kinds[kind], Err: errors.New(text), Hint: "do something about " + kind}
}

func (s *script) Validate(context.Context) error { return nil }
func (s *script) Ping(context.Context) error     { return fail(s.Pinged) }
func (s *script) Close() error                   { return nil }

func (s *script) Parts(context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for _, p := range s.All {
			p.script = s
			if !yield(p, nil) {
				return
			}
		}
		if err := fail(s.List); err != nil {
			yield(nil, err)
		}
	}
}

// Identities implements [source.AccessLister].
func (s *script) Identities(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for _, w := range s.Who {
			if !yield(document.Document{ID: w.ID, Fields: []document.Field{{Name: "name", Value: document.String(w.Name)}}}, nil) {
				return
			}
		}
	}
}

func (p *scriptPart) Scope() string           { return p.Of }
func (p *scriptPart) Name() string            { return cmp.Or(p.Called, p.Of) }
func (p *scriptPart) Estimate() (int64, bool) { return int64(len(p.Docs)), true }

func (p *scriptPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for _, d := range p.Docs {
			if !yield(d.document(p.Of), nil) {
				return
			}
		}
		if p.Block || p.Deaf {
			p.script.warn("blocked")
			<-ctx.Done()
		}
		if p.Late {
			p.script.limit.over()
			<-ctx.Done()
		}
		if p.Deaf {
			select {}
		}
		if err := fail(p.Fail); err != nil {
			yield(document.Document{}, err)
			return
		}
		p.End()
	}
}

func (d *scriptDocument) document(scope string) document.Document {
	out := document.Document{ID: d.ID, Fields: []document.Field{{Name: "scope", Value: document.String(scope)}}}
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		out.Fields = append(out.Fields, document.Field{Name: name, Value: document.String(d.Fields[name])})
	}
	if d.Content != "" {
		out.Content = &document.Content{Name: "note.txt", Size: 5, Open: func(context.Context) (io.ReadCloser, error) {
			return nil, fmt.Errorf("open: %w", fail(d.Content))
		}}
	}
	return out
}
