package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// randomText is short, and often something that could break JSON or our own form.
func randomText(rnd *rand.Rand) string {
	pieces := []string{
		"a", "b", `"`, `\`, "\n", "\x00", "\xff", "é", "\u2028", "\uFFFD", ",", "}", `,"_timestamp":"x"}`, "_timestamp", "id", ".", "1",
	}
	var b strings.Builder
	for range rnd.IntN(6) {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return b.String()
}

// randomValue is of any kind. Another program's JSON spelling changes its bytes only in ways that the canonical
// form undoes.
func randomValue(rnd *rand.Rand, depth int) document.Value {
	switch rnd.IntN(12) {
	case 0:
		return document.Null()
	case 1:
		return document.Bool(rnd.IntN(2) == 0)
	case 2:
		return document.Int(int64(rnd.Uint64()))
	case 3:
		return document.Uint(rnd.Uint64())
	case 4:
		return document.Float(math.Float64frombits(rnd.Uint64()))
	case 5:
		return document.Float(math.Copysign(0, -1))
	case 6:
		return document.Decimal(fmt.Sprint(rnd.IntN(100), ".50"))
	case 7:
		return document.Time(time.Unix(rnd.Int64N(4e9), rnd.Int64N(1e9)))
	case 8:
		return document.Number(fmt.Sprintf("%d.%d0", rnd.IntN(100), rnd.IntN(100)))
	case 9, 10:
		if depth > 2 {
			return document.Bytes([]byte(randomText(rnd)))
		}
		inner := randomFields(rnd, depth+1)
		if rnd.IntN(2) == 0 {
			return document.Object(inner)
		}
		list := make([]document.Value, len(inner))
		for i := range inner {
			list[i] = inner[i].Value
		}
		return document.List(list)
	}
	return document.String(randomText(rnd))
}

func randomFields(rnd *rand.Rand, depth int) []document.Field {
	var out []document.Field
	taken := map[string]bool{}
	for range rnd.IntN(5) {
		name := strings.ToValidUTF8(randomText(rnd), "?")
		if !taken[name] {
			taken[name] = true
			out = append(out, document.Field{Name: name, Value: randomValue(rnd, depth)})
		}
	}
	return out
}

func randomDocuments(rnd *rand.Rand, n int) []document.Document {
	docs := make([]document.Document, n)
	for i := range docs {
		id := fmt.Sprint(i, "/", randomText(rnd))
		if rnd.IntN(10) == 0 {
			id += strings.Repeat("x", 600)
		}
		docs[i] = document.Document{ID: id, Fields: randomFields(rnd, 0)}
		if rnd.IntN(3) == 0 {
			docs[i].Timestamp = "2024" + randomText(rnd)
		}
	}
	return docs
}

// respelled is a _source as a pipeline rewrites it: keys in another order, other escapes, fractions as Java writes
// them, and a field of the pipeline's own.
func respelled(t *testing.T, source []byte) []byte {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(source)))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	delete(m, "_reduce_whitespace")
	m["owned"] = map[string]any{"by": "pipeline"}
	out, err := json.MarshalIndent(asJava(m), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asJava(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = asJava(v[k])
		}
	case []any:
		for i := range v {
			v[i] = asJava(v[i])
		}
	case json.Number:
		if v == "-0" {
			return json.Number("0")
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return json.Number(fmt.Sprintf("%.16E", f))
		}
	}
	return v
}

// TestSecondSyncKeepsAll: whatever the documents are, a run over the documents of the previous run writes nothing,
// even with another timestamp, and even if a pipeline rewrites everything.
func TestSecondSyncKeepsAll(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		for _, pipeline := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d, pipeline %v", seed, pipeline), func(t *testing.T) {
				t.Parallel()
				docs := randomDocuments(rand.New(rand.NewPCG(seed, 7)), 200)
				o := Options{Pipeline: pipeline, Trailer: document.Trailer{Timestamp: then}}
				if pipeline {
					o.Trailer.Flags = &document.Flags{ReduceWhitespace: true}
					o.Ignore = func(name string) bool { return name == "owned" }
				}
				written := firstSync(t, o, docs)
				o.Trailer.Timestamp = now
				secondSync(t, o, docs, written)
			})
		}
	}
}

func firstSync(t *testing.T, o Options, docs []document.Document) []held {
	t.Helper()
	var written []held
	var parts Parts
	p, part := NewPlanner(o, table(o), nil, &parts), parts.Add("p")
	for _, doc := range docs {
		c := decide(p, part, doc)
		if c.Kind != Create {
			t.Fatalf("first run: %s %s", c.Kind, c.Reason)
		}
		if !json.Valid(c.Source) {
			t.Fatalf("not JSON: %s", c.Source)
		}
		source := c.Source
		if o.Pipeline {
			source = respelled(t, source)
		}
		written = append(written, held{c.ID, string(source), ""})
	}
	return written
}

// secondSync expects that nothing is written, and then that any single change of a document is noticed.
func secondSync(t *testing.T, o Options, docs []document.Document, written []held) {
	t.Helper()
	var parts Parts
	part := parts.Add("p")
	tab := table(o, written...)
	p := NewPlanner(o, tab, nil, &parts)
	for i, doc := range docs {
		if c := decide(p, part, doc); c.Kind != Keep || c.Reason != Unchanged || c.Source != nil {
			t.Fatalf("second run: %s, %s of\n%s\nheld\n%s", c.Kind, c.Reason, encoded(o, doc), written[i].source)
		}
	}
	if tab.Unseen() != 0 {
		t.Errorf("second run: %d would be deleted", tab.Unseen())
	}
	p = NewPlanner(o, table(o, written...), nil, &parts)
	for _, doc := range docs {
		doc.Fields = append(slices.Clone(doc.Fields), document.Field{Name: "changed", Value: document.Null()})
		if c := decide(p, part, doc); c.Kind != Update || c.Reason != ContentDiffers {
			t.Fatalf("a new field: %s, %s of\n%s", c.Kind, c.Reason, encoded(o, doc))
		}
	}
}

// TestEightReaders: readers share a table. Every id is decided once, with the same result as by one reader, and
// every document becomes exactly one change.
func TestEightReaders(t *testing.T) {
	t.Parallel()
	const readers = 8
	docs := randomDocuments(rand.New(rand.NewPCG(3, 3)), 2_000)
	o := Options{Trailer: document.Trailer{Timestamp: now}}
	var copies []held
	for i, doc := range docs {
		switch source := encoded(o, doc); i % 4 {
		case 0: // new
		case 1:
			copies = append(copies, held{ID(doc.ID), source, ""})
		case 2:
			copies = append(copies, held{ID(doc.ID), `{"id":"x"}`, ""})
		case 3:
			copies = append(copies, held{ID(doc.ID), "garbage", ""})
		}
	}
	var parts Parts
	want := make([]string, len(docs))
	one, part := NewPlanner(o, table(o, copies...), nil, &parts), parts.Add("one")
	for i, doc := range docs {
		c := decide(one, part, doc)
		want[i] = outcome(c)
	}

	tab := table(o, copies...)
	var got [readers][]string // by reader and document
	var wg sync.WaitGroup
	for w := range readers {
		wg.Go(func() {
			p, part := NewPlanner(o, tab, nil, &parts), parts.Add(fmt.Sprint("part ", w))
			got[w] = make([]string, len(docs))
			for i := range docs {
				// Every reader starts at another document, so that each is the first for some.
				i = (i + w*len(docs)/readers) % len(docs)
				got[w][i] = outcome(decide(p, part, docs[i]))
			}
		})
	}
	wg.Wait()
	duplicate := fmt.Sprint(Duplicate, SameID)
	for i := range docs {
		var firsts []string
		for w := range readers {
			if got[w][i] != duplicate {
				firsts = append(firsts, got[w][i])
			}
		}
		if len(firsts) != 1 || firsts[0] != want[i] {
			t.Fatalf("document %d: %q, want once %q", i, firsts, want[i])
		}
	}
	if tab.Unseen() != 0 {
		t.Errorf("%d unseen", tab.Unseen())
	}
}

func outcome(c Change) string { return fmt.Sprint(c.Kind, c.Reason, string(c.Source)) }

func benchDocument(i int) document.Document {
	return document.Document{ID: fmt.Sprintf("shop_public_products_%08d", i), Timestamp: now, Fields: []document.Field{
		{Name: "number", Value: document.Int(1042)},
		{Name: "price", Value: document.Decimal("12.50")},
		{Name: "weight", Value: document.Float(0.375)},
		{Name: "active", Value: document.Bool(true)},
		{Name: "changed", Value: document.Time(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC))},
		{Name: "title", Value: document.String("Füllfederhalter, blau, \"M\"")},
		{Name: "tags", Value: document.List([]document.Value{document.String("pen"), document.String("blue")})},
		{Name: "text", Value: document.String(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 17))},
	}}
}

// BenchmarkPlanner: one document of 1 KB from the reader to its change.
func BenchmarkPlanner(b *testing.B) {
	const n = 20_000
	docs := make([]document.Document, n)
	for i := range docs {
		docs[i] = benchDocument(i)
	}
	for _, bb := range []struct {
		name string
		o    Options
		held func(Options, document.Document) held
		kind Kind
	}{
		{"create", Options{}, nil, Create},
		{"keep by version", Options{Compare: ByVersion}, func(Options, document.Document) held { return held{timestamp: now} }, Keep},
		{"keep by content", Options{}, func(o Options, d document.Document) held { return held{source: encoded(o, d)} }, Keep},
		{"keep by content, pipeline", Options{Pipeline: true}, func(o Options, d document.Document) held { return held{source: encoded(o, d)} }, Keep},
		{"update", Options{}, func(Options, document.Document) held { return held{source: `{"id":"x","_timestamp":""}`} }, Update},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var copies []held
			for _, d := range docs {
				if bb.held != nil {
					c := bb.held(bb.o, d)
					c.id = d.ID
					copies = append(copies, c)
				}
			}
			var parts Parts
			part := parts.Add("p")
			fresh := func() *Planner { return NewPlanner(bb.o, table(bb.o, copies...), nil, &parts) }
			p := fresh()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i == n {
					b.StopTimer()
					p, i = fresh(), 0
					b.StartTimer()
				}
				if c := decide(p, part, docs[i]); c.Kind != bb.kind {
					b.Fatalf("%s, %s", c.Kind, c.Reason)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
