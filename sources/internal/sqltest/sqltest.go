// Package sqltest is shared by the tests of the SQL sources. It has the cases that apply to all of them, which a test
// calls with the data of its database. It also opens sources and reads them to the end, collects logs, and waits for
// servers. It knows no database, and no program imports it.
//
// Its invariant: it never hides an error of the source; it returns it in [Result] or fails the test.
package sqltest

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/sourcetest"
)

// Parse reads a configuration of the type.
func Parse(t testing.TB, typ *source.Type, raw map[string]any) field.Values {
	t.Helper()
	v, err := field.Parse(typ.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Open opens a source and closes it when the test ends.
func Open(t testing.TB, typ *source.Type, raw map[string]any, env source.Env) source.Source {
	t.Helper()
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	s, err := typ.Open(t.Context(), Parse(t, typ, raw), env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Result is the documents read from one part.
type Result struct {
	Docs []string // encoded by [Body], in the order of reading
	IDs  []string
	Err  error
}

// Read reads a part.
func Read(ctx context.Context, p source.Part) (r Result) {
	for doc, err := range p.Documents(ctx) {
		if err != nil {
			r.Err = err
			return r
		}
		r.IDs = append(r.IDs, strings.Clone(doc.ID))
		r.Docs = append(r.Docs, Body(&doc))
	}
	return r
}

// ReadSource opens a source and reads it, see [ReadAll].
func ReadSource(t testing.TB, typ *source.Type, raw map[string]any, env source.Env) map[string]Result {
	t.Helper()
	return ReadAll(t, Open(t, typ, raw, env))
}

// ReadAll reads all parts, one after another, and returns the results by scope.
func ReadAll(t testing.TB, s source.Source) map[string]Result {
	t.Helper()
	all := map[string]Result{}
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[p.Scope()]; twice {
			t.Errorf("the scope %q comes twice", p.Scope())
		}
		all[p.Scope()] = Read(t.Context(), p)
	}
	return all
}

// DescribeAll describes all parts and returns the descriptions by scope. Parts of one scope must have the same
// description.
func DescribeAll(t testing.TB, s source.Source) map[string]source.Description {
	t.Helper()
	all := map[string]source.Description{}
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		describer, ok := p.(source.Describer)
		if !ok {
			t.Fatalf("%s cannot be described", p.Name())
		}
		d, err := describer.Describe(t.Context())
		if err != nil {
			t.Errorf("describe %s: %v", p.Name(), err)
		}
		if before, again := all[p.Scope()]; again && !reflect.DeepEqual(before, d) {
			t.Errorf("the description of %s differs from those of the parts before it", p.Name())
		}
		all[p.Scope()] = d
	}
	return all
}

// CheckDescribed reads all parts that can be read, and checks every document against the description of its part. It
// returns the number of documents.
func CheckDescribed(t testing.TB, typ *source.Type, s source.Source) (documents int) {
	t.Helper()
	for p, err := range s.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := p.(source.Describer).Describe(t.Context())
		if err != nil {
			t.Errorf("describe %s: %v", p.Name(), err)
		}
		for doc, err := range p.Documents(t.Context()) {
			if err == nil {
				err = sourcetest.Described(&d, *typ, nil, &doc)
			}
			if err != nil {
				t.Errorf("%s: %v", p.Name(), err)
				break
			}
			documents++
		}
	}
	return documents
}

// Kinds are the kinds of described fields by name.
func Kinds(d source.Description) map[string]source.FieldKind {
	kinds := map[string]source.FieldKind{}
	for _, f := range d.Fields {
		kinds[f.Name] = f.Kind
	}
	return kinds
}

// Body encodes the fields of columns as a JSON object: those after the field that names the table.
func Body(doc *document.Document) string {
	fixed := slices.IndexFunc(doc.Fields, func(f document.Field) bool { return strings.EqualFold(f.Name, "table") }) + 1
	out := document.AppendFields(nil, &document.Document{ID: "x", Fields: doc.Fields[fixed:]})
	return "{" + strings.TrimPrefix(strings.TrimPrefix(string(out), `{"id":"x"`), ",") + "}"
}

// Logbook collects log lines.
type Logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write adds a line.
func (l *Logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is the complete log.
func (l *Logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Env is an environment that logs to the logbook, at level info and above.
func (l *Logbook) Env() source.Env {
	return source.Env{Log: slog.New(slog.NewTextHandler(l, nil))}
}

// Patience is how long a test waits for an event, and how long an immediate action may take: no machine is so busy
// that it takes longer, and a hang is still detected.
const Patience = 3 * time.Minute

// Eventually polls a condition of the server until it holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in %s: %s", Patience, what)
		}
	}
}
