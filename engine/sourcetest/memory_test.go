package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync/atomic"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// faults are the ways in which the source in memory can break the contract.
type faults struct {
	twoFieldsOneName, noScopeOf, scopeFromNothing, wrongScope              bool
	pingDeaf, validateFails, closeFails                                    bool
	unstableParts, twoPartsOneName, onePart                                bool
	emptyID, doubleID, unstableID, unstableField, doubleField, badJSON     bool
	endless, deafParts, deafDocuments, leakGoroutine, leakFile, serialOnly bool
	contentDiffers, contentLonger, contentImmortal                         bool
	brokenAccepted, brokenUntyped, listFails, partSilent, partUntyped      bool
	describesUnsaid, describesNothing, describeFails, undescribed          bool
	wrongKind, wrongCommonKind, strangeKind, describedTwice                bool
	unstableDescription, wrongIDPrefix, wrongNumericIDs                    bool
	changeMissed, changeInvented, changeUnnamed, changeEndless             bool
	deletedYielded, placeStays, placeNested, placeOfAnother                bool
}

// runs makes what is unstable differ from one opening to the next.
type runs struct {
	n     atomic.Int64
	files []*os.File // kept, lest a finalizer closes them
}

// leakFile opens a file that nothing closes before the test ends.
func (r *runs) leakFile() {
	if f, err := os.Open(os.DevNull); err == nil {
		r.files = append(r.files, f)
	}
}

func memoryType(f faults, r *runs) source.Type {
	t := source.Type{
		Name: "memory", Title: "Memory",
		Fields: []field.Spec{
			{Name: "user", Label: "User", Order: 1, Value: "me"},
			{Name: "missing", Label: "Missing part", Order: 2, Optional: true},
			{Name: "follow", Label: "Follow changes", Order: 3, Type: field.Bool, Display: field.Toggle, Value: false},
		},
		ScopeFields: []string{"folder"},
		Describes:   !f.describesUnsaid,
		CommonFields: func(field.Values) []source.DescribedField {
			return []source.DescribedField{{Name: "folder", Kind: source.Keyword}}
		},
		ScopeOf: func(_ field.Values, fields map[string]any) (string, bool) {
			s, ok := fields["folder"].(string)
			return s, ok || f.scopeFromNothing
		},
		Open: func(_ context.Context, v field.Values, _ source.Env) (source.Source, error) {
			m := &memory{
				faults: f, run: r.n.Add(1), runs: r, second: make(chan struct{}),
				user: v.String("user"), missing: v.String("missing"),
			}
			if v.Bool("follow") {
				return following{m}, nil
			}
			return m, nil
		},
	}
	if f.twoFieldsOneName {
		t.Fields[1].Name = "user"
	}
	if f.wrongCommonKind {
		t.CommonFields = func(field.Values) []source.DescribedField {
			return []source.DescribedField{{Name: "folder", Kind: source.Date}}
		}
	}
	if f.noScopeOf {
		t.ScopeOf = nil
	}
	return t
}

type memory struct {
	faults
	run           int64
	user, missing string
	runs          *runs
	second        chan struct{} // closed when part b is begun
	gone          atomic.Bool
	history       []int // numbers of documents of part a that changed
}

func (m *memory) Validate(context.Context) error {
	if m.validateFails {
		return errors.New("never valid")
	}
	return nil
}

func (m *memory) Ping(ctx context.Context) error {
	switch {
	case ctx.Err() != nil && !m.pingDeaf:
		return ctx.Err()
	case m.user == "me" || m.brokenAccepted:
		return nil
	case m.brokenUntyped:
		return errors.New("who is this")
	}
	return &source.Error{Kind: source.ErrAuth, Err: errors.New("who is this")}
}

func (m *memory) Close() error {
	if m.closeFails {
		return errors.New("stuck")
	}
	return nil
}

func (m *memory) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		scopes := []string{"a", "b"}
		if m.onePart {
			scopes = scopes[:1]
		}
		if m.unstableParts && m.run%2 == 0 {
			scopes[1] = "c"
		}
		for _, scope := range scopes {
			if ctx.Err() != nil && !m.deafParts {
				yield(nil, ctx.Err())
				return
			}
			if m.listFails && scope == m.missing {
				yield(nil, errors.New("cannot list"))
				return
			}
			part := source.Part(&memoryPart{memory: m, scope: scope})
			if m.describesNothing {
				part = struct{ source.Part }{part}
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}

type memoryPart struct {
	source.Ending
	*memory
	scope string
}

func (p *memoryPart) Scope() string { return p.scope }

func (p *memoryPart) Name() string {
	if p.twoPartsOneName {
		return "part"
	}
	return p.scope
}

func (p *memoryPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if p.serialOnly && !p.alone(ctx) {
			yield(document.Document{}, errors.New("busy"))
			return
		}
		if p.leakGoroutine {
			go func() { <-make(chan int) }() // the fault under test: nobody ends it
		}
		if p.scope == p.missing && !p.partSilent {
			yield(document.Document{}, p.failure())
			return
		}
		for i := range 3 {
			if ctx.Err() != nil {
				if !p.deafDocuments {
					yield(document.Document{}, ctx.Err())
				}
				return
			}
			if p.leakFile {
				p.runs.leakFile()
			}
			if !yield(p.document(i), nil) {
				return
			}
		}
		if !p.endless {
			p.End()
		}
	}
}

func (p *memoryPart) Describe(context.Context) (source.Description, error) {
	d := source.Description{
		Fields:   []source.DescribedField{{Name: "n", Kind: source.Long}, {Name: "in.at", Kind: source.Date}},
		IDPrefix: p.scope, NumericIDs: true,
	}
	switch {
	case p.describeFails:
		return d, errors.New("cannot say")
	case p.undescribed:
		d.Fields = d.Fields[1:]
	case p.wrongKind:
		d.Fields[0].Kind = source.Boolean
	case p.strangeKind:
		d.Fields[0].Kind = "whole"
	case p.describedTwice:
		d.Fields = append(d.Fields, d.Fields[0])
	case p.unstableDescription && p.run%2 == 0:
		d.Fields[0].Kind = source.Double
	case p.wrongIDPrefix:
		d.IDPrefix += "_"
	case p.wrongNumericIDs:
		d.IDPrefix = ""
	}
	return d, nil
}

// alone reports whether no other part is read at the same time. Two readers meet whatever the
// scheduler does: in every second run, which is the parallel one, part a waits for part b.
func (p *memoryPart) alone(ctx context.Context) bool {
	if p.run%2 == 1 {
		return true
	}
	if p.scope == "b" {
		close(p.second)
		return true
	}
	select {
	case <-p.second:
		return false
	case <-ctx.Done():
		return true
	}
}

func (p *memoryPart) failure() error {
	err := fmt.Errorf("%s is locked", p.scope)
	if p.partUntyped {
		return err
	}
	return &source.Error{Kind: source.ErrAuth, Part: p.scope, Err: err}
}

func (p *memoryPart) document(i int) document.Document {
	id := fmt.Sprintf("%s%d", p.scope, i)
	folder, text := p.scope, "text of "+id
	switch {
	case p.emptyID && i == 1:
		id = ""
	case p.doubleID && i == 1:
		id = "a0"
	case p.unstableID:
		id += fmt.Sprint(p.run)
	case p.wrongScope:
		folder = "elsewhere"
	}
	doc := document.Document{
		ID: id,
		Fields: []document.Field{
			{Name: "folder", Value: document.String(folder)},
			{Name: "n", Value: document.Int(int64(i))},
			{Name: "in", Value: document.Object([]document.Field{{Name: "at", Value: document.String("2024-01-02T03:04:05.6Z")}})},
		},
		Content: &document.Content{Name: id + ".txt", Size: int64(len(text)), Open: p.opener(text)},
	}
	switch {
	case p.doubleField:
		doc.Fields[1].Name = "folder"
	case p.badJSON:
		doc.Fields[1].Value = document.Raw("{")
	case p.unstableField:
		doc.Fields[1].Value = document.Int(p.run)
	}
	return doc
}

func (p *memoryPart) opener(text string) func(context.Context) (io.ReadCloser, error) {
	opened := 0
	return func(context.Context) (io.ReadCloser, error) {
		opened++
		switch {
		case p.gone.Load() && !p.contentImmortal:
			return nil, fs.ErrNotExist
		case p.contentDiffers:
			text = fmt.Sprint(text[:len(text)-1], opened)
		case p.contentLonger:
			return io.NopCloser(bytes.NewReader([]byte(text + "!"))), nil
		}
		return io.NopCloser(bytes.NewReader([]byte(text))), nil
	}
}

func memoryConfig(f faults) Config {
	var r runs
	var opened *memory
	t := memoryType(f, &r)
	plain := t.Open
	t.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		src, err := plain(ctx, v, env)
		switch s := src.(type) {
		case *memory:
			opened = s
		case following:
			opened = s.memory
		}
		return src, err
	}
	return Config{
		Type:   t,
		Values: func(*testing.T) map[string]any { return nil },
		Broken: map[string]Broken{"user": {Values: map[string]any{"user": "you"}, Kind: source.ErrAuth}},
		FailingPart: func(*testing.T) FailingPart {
			return FailingPart{Values: map[string]any{"missing": "b"}, Scope: "b", Kind: source.ErrAuth}
		},
		FailingContent: func(*testing.T) FailingContent {
			return FailingContent{ID: "a1", Break: func() { opened.gone.Store(true) }, Want: fs.ErrNotExist}
		},
		Changing: func(*testing.T) Changing {
			return Changing{Values: map[string]any{"follow": true}, Change: func() (created, changed, deleted []string) {
				opened.history = append(opened.history, 1, 2, 3)
				return []string{"a1"}, []string{"a2"}, []string{"a3"}
			}}
		},
	}
}
