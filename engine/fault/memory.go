// Package fault has what tests break on purpose: a source in memory that fails where a test sets it, and a transport
// that loses, refuses or truncates requests.
//
// It is imported by tests only; the program does not contain it. Its invariant: what it does follows from its script
// alone, so that a failing test can be repeated.
package fault

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Memory is a source in memory. Its fields may be changed between runs.
type Memory struct {
	Parts   map[string][]document.Document // by scope
	Fails   map[string]error               // a part's error, after FailsAt documents
	FailsAt int
	Hidden  map[string]bool  // parts that exist and cannot be listed
	Absent  map[string]error // parts that the configuration names and that do not exist, with their errors
	ListErr error            // ends the list of parts, after all of them
	PingErr error
	// Blocks are, by part, the number of documents after which it hangs until the run ends; ListBlocks is the same for
	// the list, after all parts.
	Blocks     map[string]int
	ListBlocks bool
	// Quiet are parts that stop after FailsAt documents as if these were all, without saying so.
	Quiet map[string]bool
	// Unsure are parts that are read completely and turn out to have changed, when that is verified.
	Unsure map[string]error
	// Silent is how long a part takes until its first document. As every source must, it ends the part when that is
	// longer than the stall timeout.
	Silent map[string]time.Duration
	// Each is called before a document is yielded; it may block, cancel or panic.
	Each func(part string, n int)

	// Describe describes a part; nil is a source that does not know its fields.
	Describe func(part string) (source.Description, error)

	ByVersion bool // documents are compared by their timestamps

	// Identities, if not nil, make it a source with access control.
	Identities []document.Document

	// History makes it a source that knows its changes; nil is one that does not.
	History *History

	IDsOnly bool // what the last run requested

	mu     sync.Mutex
	opened int
}

// ScopeField is the field of a document of Memory that contains its scope; documents must have it.
const ScopeField = "scope"

// Type is the source as the engine sees it.
func (m *Memory) Type() source.Type {
	return source.Type{
		Name: "memory", Title: "Memory",
		VersionPerDocument: func(field.Values) bool { return m.ByVersion },
		ScopeFields:        []string{ScopeField},
		Describes:          m.Describe != nil,
		ScopeOf: func(_ field.Values, f map[string]any) (string, bool) {
			s, ok := f[ScopeField].(string)
			return s, ok
		},
		Open: func(_ context.Context, _ field.Values, env source.Env) (source.Source, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.opened++
			m.IDsOnly = env.IDsOnly
			if m.Identities != nil {
				return listing{opened{m, env.StallTimeout}}, nil
			}
			if m.History != nil {
				return following{opened{m, env.StallTimeout}}, nil
			}
			return opened{m, env.StallTimeout}, nil
		},
	}
}

// Open reports how many sources are open.
func (m *Memory) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opened
}

type opened struct {
	m     *Memory
	stall time.Duration
}

func (o opened) Validate(context.Context) error { return nil }

func (o opened) Ping(context.Context) error { return o.m.PingErr }

// Verify implements [source.Verifier].
func (o opened) Verify(_ context.Context, scope string) error { return o.m.Unsure[scope] }

func (o opened) Close() error {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.m.opened--
	return nil
}

func (o opened) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(o.m.Parts)) {
			var part source.Part = &memoryPart{opened: o, name: name}
			if o.m.Describe != nil {
				part = describedPart{&memoryPart{opened: o, name: name}}
			}
			if o.m.Hidden[name] {
				part = hiddenPart{&memoryPart{opened: o, name: name}}
			}
			if err := o.m.Absent[name]; err != nil {
				part = absentPart{&memoryPart{opened: o, name: name}, err}
			}
			if !yield(part, nil) {
				return
			}
		}
		if o.m.ListBlocks {
			<-ctx.Done()
			yield(nil, ctx.Err())
			return
		}
		if o.m.ListErr != nil {
			yield(nil, o.m.ListErr)
		}
	}
}

// listing is a source that knows who may see its documents.
type listing struct{ opened }

// Identities implements [source.AccessLister].
func (l listing) Identities(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for _, doc := range l.m.Identities {
			doc.Fields = slices.Clone(doc.Fields)
			if !yield(doc, nil) {
				return
			}
		}
	}
}

type hiddenPart struct{ *memoryPart }

// Hidden implements [source.Hidden].
func (hiddenPart) Hidden() {}

type absentPart struct {
	*memoryPart
	err error
}

// Absent implements [source.Absent].
func (p absentPart) Absent() error { return p.err }

// Documents fails.
func (p absentPart) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, p.err) }
}

type describedPart struct{ *memoryPart }

// Describe implements [source.Describer].
func (p describedPart) Describe(context.Context) (source.Description, error) {
	return p.m.Describe(p.name)
}

type memoryPart struct {
	source.Ending
	opened
	name string
}

func (p *memoryPart) Scope() string { return p.name }

func (p *memoryPart) Name() string { return p.name }

func (p *memoryPart) Estimate() (int64, bool) { return int64(len(p.m.Parts[p.name])), true }

func (p *memoryPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.beSilent(ctx); err != nil {
			yield(document.Document{}, err)
			return
		}
		fails := p.m.Fails[p.name]
		for n, doc := range p.m.Parts[p.name] {
			if p.m.Quiet[p.name] && n == p.m.FailsAt {
				return
			}
			if fails != nil && n == p.m.FailsAt {
				yield(document.Document{}, fails)
				return
			}
			if p.m.Each != nil {
				p.m.Each(p.name, n)
			}
			if at, ok := p.m.Blocks[p.name]; ok && n == at {
				<-ctx.Done()
			}
			if ctx.Err() != nil {
				yield(document.Document{}, ctx.Err())
				return
			}
			doc.Fields = slices.Clone(doc.Fields)
			if !yield(doc, nil) {
				return
			}
		}
		if fails != nil {
			yield(document.Document{}, fails)
			return
		}
		if !p.m.Quiet[p.name] {
			p.End()
		}
	}
}

// beSilent waits, but no longer than the stall timeout allows.
func (p *memoryPart) beSilent(ctx context.Context) error {
	silent := p.m.Silent[p.name]
	stalled := p.stall > 0 && silent > p.stall
	if stalled {
		silent = p.stall
	}
	if silent > 0 {
		timer := time.NewTimer(silent)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if stalled {
		return &source.Error{Kind: source.ErrTemporary, Part: p.name, Err: fmt.Errorf("nothing came for %v, the stall timeout", p.stall)}
	}
	return nil
}
