package plan

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// held is a copy in the destination.
type held struct{ id, source, timestamp string }

// a text field of the copy, as a scan reads it
func (h held) text(name string) string {
	if name == "_timestamp" {
		return h.timestamp
	}
	_, value, _ := strings.Cut(h.source, `"`+name+`":"`)
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// table is the result of a scan of the copies. It is in memory, where nothing can fail.
func table(o Options, copies ...held) *ids.Table {
	collected := ids.Collect(ids.Options{Memory: 1 << 40})
	b := collected.Builder()
	for _, c := range copies {
		if err := b.Add(c.id, o.HeldVersion([]byte(c.source), c.text)); err != nil {
			panic(err)
		}
	}
	t, err := collected.Table()
	if err != nil {
		panic(err)
	}
	return t
}

func stateOf(t *ids.Table, id string) ids.State {
	s, err := t.State(ids.KeyOf(id))
	if err != nil {
		panic(err)
	}
	return s
}

// encoded is the _source of a document as a run would write it.
func encoded(o Options, doc document.Document) string {
	doc.ID = ID(doc.ID)
	source, _ := document.AppendSource(nil, &doc, o.Trailer)
	return string(source)
}

// decide takes both steps for a document, as a reader of the engine does.
func decide(p *Planner, part uint32, doc document.Document) Change {
	p.part, p.name = part, p.parts.Name(part) // instead of Begin, which would add the cost of clashes to each document of a benchmark
	d, err := p.Decide(&doc)
	if err != nil {
		panic(err)
	}
	if d.Body {
		return p.Encode(d, &doc, Body{})
	}
	return d.Change
}

func fields(name string, v document.Value) []document.Field {
	return []document.Field{{Name: name, Value: v}}
}

const (
	then = "2024-01-01T00:00:00Z"
	now  = "2024-05-06T07:08:09Z"
)

// TestDecisions is the specification of a sync, document by document.
func TestDecisions(t *testing.T) {
	t.Parallel()
	doc := document.Document{ID: "a", Timestamp: now, Fields: fields("x", document.Int(1))}
	older := doc
	older.Timestamp = then
	other := doc
	other.Fields = fields("x", document.Int(2))
	plain := doc
	plain.Timestamp = ""
	withContent := doc
	withContent.Content = &document.Content{Name: "a.txt", Size: 5}
	ours := held{"a", `{"id":"a","x":1,"_timestamp":"` + now + `"}`, now}
	foreign := held{"a", `{ "_timestamp": "x", "x": 1, "id": "a" }`, "x"}
	garbage := held{"a", `not json`, ""}
	without := held{"a", `{"id":"a","x":1}`, ""}
	elsewhere := held{"b", `{"id":"b"}`, now}

	tests := []struct {
		name    string
		compare Compare
		held    []held
		doc     document.Document
		kind    Kind
		reason  Reason
	}{
		{"by content: not in the index", ByContent, []held{elsewhere}, doc, Create, NotInIndex},
		{"by content: an empty index", ByContent, nil, doc, Create, NotInIndex},
		{"by content: the same", ByContent, []held{ours}, doc, Keep, Unchanged},
		{"by content: the timestamp does not matter", ByContent, []held{ours}, older, Keep, Unchanged},
		{"by content: nor does a missing one", ByContent, []held{ours}, plain, Keep, Unchanged},
		{"by content: another value", ByContent, []held{ours}, other, Update, ContentDiffers},
		{"by content: the same, as another program spells it", ByContent, []held{foreign}, doc, Keep, Unchanged},
		{"by content: another value, as another program spells it", ByContent, []held{foreign}, other, Update, ContentDiffers},
		{"by content: the same, without a timestamp", ByContent, []held{without}, doc, Keep, Unchanged},
		{"by content: a copy that cannot be compared", ByContent, []held{garbage}, doc, Update, VersionUnknown},
		{"by content: content to extract makes no difference", ByContent, []held{ours}, withContent, Keep, Unchanged},

		{"by version: not in the index", ByVersion, []held{elsewhere}, doc, Create, NotInIndex},
		{"by version: the same", ByVersion, []held{ours}, doc, Keep, Unchanged},
		{"by version: the same, whatever the content", ByVersion, []held{ours}, other, Keep, Unchanged},
		{"by version: another one", ByVersion, []held{ours}, older, Update, VersionDiffers},
		{"by version: the document has none", ByVersion, []held{ours}, plain, Update, VersionUnknown},
		{"by version: the copy has none", ByVersion, []held{without}, doc, Update, VersionUnknown},
		{"by version: neither has one", ByVersion, []held{without}, plain, Update, VersionUnknown},
		{"by version: content to extract, the same", ByVersion, []held{ours}, withContent, Keep, Unchanged},

		{"always: not in the index", Always, []held{elsewhere}, doc, Create, NotInIndex},
		{"always: the same", Always, []held{ours}, doc, Update, Forced},
		{"always: another one", Always, []held{ours}, other, Update, Forced},
		{"always: a copy that cannot be compared", Always, []held{garbage}, doc, Update, Forced},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Compare: tt.compare, Trailer: document.Trailer{Timestamp: now}}
			var parts Parts
			part := parts.Add("shop.products")
			c := decide(NewPlanner(o, table(o, tt.held...), nil, &parts), part, tt.doc)
			if c.Kind != tt.kind || c.Reason != tt.reason {
				t.Errorf("got %s, %s, want %s, %s", c.Kind, c.Reason, tt.kind, tt.reason)
			}
			if c.ID != "a" || c.Part != "shop.products" || c.At != nil || c.First != "" || c.Routing != "" || c.Grant != 0 {
				t.Errorf("the rest of the change: %+v", c)
			}
			want := ""
			if tt.kind == Create || tt.kind == Update {
				want = encoded(o, tt.doc)
			}
			if string(c.Source) != want {
				t.Errorf("_source %s, want %s", c.Source, want)
			}
		})
	}
}

// TestPipelineDecisions: a pipeline rewrites documents, so their canonical form is compared, without the fields of
// the pipeline.
func TestPipelineDecisions(t *testing.T) {
	t.Parallel()
	doc := document.Document{ID: "a", Fields: []document.Field{{Name: "x", Value: document.Number("12.50")}, {Name: "z", Value: document.Float(0)}}}
	other := doc
	other.Fields = []document.Field{{Name: "x", Value: document.Number("12.51")}, {Name: "z", Value: document.Float(0)}}
	tests := []struct {
		name   string
		copy   string
		doc    document.Document
		kind   Kind
		reason Reason
	}{
		{"unchanged", `{"id":"a","x":12.50,"z":0,"_timestamp":"old"}`, doc, Keep, Unchanged},
		{"rewritten, flags removed", `{"x":12.5,"_timestamp":"old","z":0,"id":"a"}`, doc, Keep, Unchanged},
		{"flags left", `{"x":12.5,"z":0,"id":"a","_extract_binary_content":true,"_reduce_whitespace":false,"_run_ml_inference":true}`, doc, Keep, Unchanged},
		{"with a field of the pipeline", `{"x":12.5,"z":0,"id":"a","ml":{"x":1}}`, doc, Keep, Unchanged},
		{"with a field of neither source nor pipeline", `{"x":12.5,"z":0,"id":"a","extra":1}`, doc, Update, ContentDiffers},
		{"another value", `{"x":12.5,"z":0,"id":"a"}`, other, Update, ContentDiffers},
		{"a missing field", `{"x":12.5,"id":"a"}`, doc, Update, ContentDiffers},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Options{
				Pipeline: true, Trailer: document.Trailer{Timestamp: now, Flags: &document.Flags{ReduceWhitespace: true}},
				Ignore: func(name string) bool { return name == "ml" },
			}
			var parts Parts
			c := decide(NewPlanner(o, table(o, held{"a", tt.copy, ""}), nil, &parts), parts.Add("p"), tt.doc)
			if c.Kind != tt.kind || c.Reason != tt.reason {
				t.Errorf("got %s, %s, want %s, %s", c.Kind, c.Reason, tt.kind, tt.reason)
			}
		})
	}
}

// TestRuleDecisions: rules apply before the table, so an excluded document counts as not seen.
func TestRuleDecisions(t *testing.T) {
	t.Parallel()
	set, err := rules.New([]rules.Rule{
		{ID: "1", Policy: "exclude", Field: "x", Rule: "equals", Value: "1"},
		{ID: "2", Policy: "exclude", Field: "id", Rule: "ends_with", Value: ".tmp"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, compare := range []Compare{ByContent, ByVersion, Always} {
		o := Options{Compare: compare}
		excluded := document.Document{ID: "a", Timestamp: now, Fields: fields("x", document.Int(1))}
		tab := table(o, held{"a", encoded(o, excluded), now}, held{"b", `{}`, ""})
		var parts Parts
		p := NewPlanner(o, tab, set, &parts)
		part := parts.Add("p")
		for range 2 { // a second document is not a duplicate of an excluded one
			if c := decide(p, part, excluded); c.Kind != Drop || c.Reason != ExcludedByRule || c.Source != nil || c.ID != "a" {
				t.Errorf("compare %d: %+v", compare, c)
			}
		}
		if got := stateOf(tab, "a"); got != ids.Excluded {
			t.Errorf("compare %d: state of the excluded %d, want Excluded", compare, got)
		}
		if tab.Unseen() != 2 {
			t.Errorf("compare %d: Unseen() = %d, want 2", compare, tab.Unseen())
		}
		kept := excluded
		kept.Fields = fields("x", document.Int(2))
		if c := decide(p, part, kept); c.Kind == Drop || c.Kind == Duplicate || stateOf(tab, "a") != ids.Seen {
			t.Errorf("compare %d: another document of the id that no rule excludes: %+v", compare, c)
		}
		if c := decide(p, part, document.Document{ID: "new.tmp"}); c.Kind != Drop {
			t.Errorf("compare %d: a rule about ids: %+v", compare, c)
		}
	}
}

func TestEmptyIDIsRejected(t *testing.T) {
	t.Parallel()
	tab := table(Options{})
	var parts Parts
	p := NewPlanner(Options{}, tab, nil, &parts)
	for range 2 { // nor a duplicate of another one
		c := decide(p, parts.Add("p"), document.Document{Fields: fields("x", document.Int(1))})
		if c.Kind != Reject || c.Reason != EmptyID || c.ID != "" || c.Part != "p" || c.Source != nil {
			t.Errorf("%+v", c)
		}
	}
}

// TestIDsOver512Bytes: they are replaced by the MD5 of their bytes, as in the connector protocol.
func TestIDsOver512Bytes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, id, want string }{
		{"short", "a", "a"},
		{"empty", "", ""},
		{"512 bytes", strings.Repeat("a", 512), strings.Repeat("a", 512)},
		{"513 bytes", strings.Repeat("a", 513), "6649c3e827e44f7bf539768bddf76435"},
		{"512 bytes in 256 letters", strings.Repeat("é", 256), strings.Repeat("é", 256)},
		{"514 bytes in 257 letters", strings.Repeat("é", 257), "3c13ad731eaeb207dade049c21522ea2"},
		{"invalid UTF-8", "a\xff", "cc7bb99ae517c38d9547266ff7157071"},
		{"a byte of a rune that is cut off", "é"[:1], "d78276f56f8ec8d4f8cca375e4534366"},
		{"a replacement character is valid", "a\uFFFD", "a\uFFFD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ID(tt.id); got != tt.want {
				t.Errorf("ID = %s, want %s", got, tt.want)
			}
			if got := ID(ID(tt.id)); got != tt.want {
				t.Errorf("ID of the ID = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestLongIDsAreWrittenHashed: the hash is the id everywhere: in the change, in the document, and when the next
// run finds it in the index.
func TestLongIDsAreWrittenHashed(t *testing.T) {
	t.Parallel()
	doc := document.Document{ID: strings.Repeat("k", 600), Fields: fields("x", document.Int(1))}
	hash := ID(doc.ID)
	o := Options{Trailer: document.Trailer{Timestamp: now}}
	var parts Parts
	part := parts.Add("p")
	first := decide(NewPlanner(o, table(o), nil, &parts), part, doc)
	if first.Kind != Create || first.ID != hash || !strings.HasPrefix(string(first.Source), `{"id":"`+hash+`",`) {
		t.Fatalf("first run: %+v, %s", first, first.Source)
	}
	tab := table(o, held{hash, string(first.Source), now})
	if c := decide(NewPlanner(o, tab, nil, &parts), part, doc); c.Kind != Keep || c.ID != hash || tab.Unseen() != 0 {
		t.Errorf("second run: %+v, unseen %d", c, tab.Unseen())
	}
}

// TestNewIDsAreRemembered: the first of two documents with one id is kept, and the second is reported with both
// parts, whether the index holds the id or not.
func TestNewIDsAreRemembered(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 600)
	tests := []struct {
		name          string
		first, second string
		duplicate     bool
	}{
		{"the same id", "a", "a", true},
		{"two ids", "a", "b", false},
		{"letter case counts", "a", "A", false},
		{"a long id twice", long, long, true},
		{"two long ids with the same beginning", long + "1", long + "2", false},
		{"a long id and its hash", long, ID(long), true},
		{"a hash and its long id", ID(long), long, true},
		{"ids that differ in a stray byte", "a\xff", "a\xfe", false},
		{"a stray byte is not a replacement character", "a\xff", "a\uFFFD", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Options{Compare: ByContent}
			first := document.Document{ID: tt.first, Fields: fields("x", document.Int(1))}
			second := document.Document{ID: tt.second, Fields: fields("x", document.Int(2))}
			for name, copies := range map[string][]held{"new": nil, "held": {{ID(tt.first), encoded(o, first), ""}}} {
				tab := table(o, copies...)
				var parts Parts
				p1, p2 := NewPlanner(o, tab, nil, &parts), NewPlanner(o, tab, nil, &parts)
				one, two := parts.Add("db.one"), parts.Add("db.two")
				if c := decide(p1, one, first); c.Kind != Create && c.Kind != Keep {
					t.Fatalf("%s: the first is %s", name, c.Kind)
				}
				c := decide(p2, two, second)
				if !tt.duplicate {
					if c.Kind != Create {
						t.Errorf("%s: the second is %s, want create", name, c.Kind)
					}
					continue
				}
				if c.Kind != Duplicate || c.Reason != SameID || c.First != "db.one" || c.Part != "db.two" || c.Source != nil || c.ID != ID(tt.second) {
					t.Errorf("%s: the second is %+v", name, c)
				}
			}
		})
	}
}

// TestKeepNeedsNoEncoding: a document that is unchanged by its version is never encoded, nor is its content
// opened.
func TestKeepNeedsNoEncoding(t *testing.T) {
	t.Parallel()
	o := Options{Compare: ByVersion}
	var parts Parts
	p := NewPlanner(o, table(o, held{"a", "", now}), nil, &parts)
	doc := document.Document{ID: "a", Timestamp: now}
	p.Begin(parts.Add("p"), "", &Clashes{})
	if d, err := p.Decide(&doc); err != nil || d.Body || d.Kind != Keep || !d.Known {
		t.Errorf("%v, %+v", err, d)
	}
}

// TestEncodeReusesItsMemory: callers that keep a source must copy it; see [Change.Source].
func TestEncodeReusesItsMemory(t *testing.T) {
	t.Parallel()
	var parts Parts
	part := parts.Add("p")
	p := NewPlanner(Options{}, table(Options{}), nil, &parts)
	a := decide(p, part, document.Document{ID: "a"})
	if string(a.Source) != `{"id":"a","_timestamp":""}` {
		t.Fatalf("%s", a.Source)
	}
	b := decide(p, part, document.Document{ID: "b"})
	if &a.Source[0] != &b.Source[0] {
		t.Error("a new buffer for every document")
	}
}

// TestOurFormIsNotParsed: a changed document over a copy in our own form costs only its encoding and a hash.
// Parsing allocates, and would take ten times as long as all the rest.
func TestOurFormIsNotParsed(t *testing.T) { // not parallel: AllocsPerRun counts for the whole process
	doc := document.Document{ID: "a", Fields: fields("x", document.Object(fields("y", document.Int(2))))}
	var parts Parts
	p := NewPlanner(Options{}, table(Options{}), nil, &parts)
	d := Decision{Change: Change{Kind: Update, Reason: ContentDiffers, ID: "a"}}
	d.version = Options{}.HeldVersion([]byte(`{"id":"a","x":{"y":1},"_timestamp":""}`), nil)
	n := testing.AllocsPerRun(100, func() {
		if c := p.Encode(d, &doc, Body{}); c.Kind != Update {
			t.Fatal(c.Kind)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// TestABodyIsWrittenAfterTheFields: first the text, then an attachment, then the timestamp, which the body may
// replace. Text and attachment are part of the compared content; the timestamp is not.
func TestABodyIsWrittenAfterTheFields(t *testing.T) {
	t.Parallel()
	doc := document.Document{ID: "a", Timestamp: now, Fields: fields("x", document.Int(1))}
	text := document.Field{Name: "body", Value: document.String(`say "a"`)}
	const withBoth = `{"id":"a","x":1,"body":"say \"a\"","_attachment":"YQ==","_timestamp":"` + now + `"}`
	tests := []struct {
		name string
		held string
		body Body
		want string
		kind Kind
	}{
		{"nothing", "", Body{}, `{"id":"a","x":1,"_timestamp":"` + now + `"}`, Create},
		{"text", "", Body{Field: text}, `{"id":"a","x":1,"body":"say \"a\"","_timestamp":"` + now + `"}`, Create},
		{"both", "", Body{Field: text, Attachment: []byte(`,"_attachment":"YQ=="`)}, withBoth, Create},
		{"another timestamp", "", Body{Timestamp: then}, `{"id":"a","x":1,"_timestamp":"` + then + `"}`, Create},
		{"the same content", withBoth, Body{Field: text, Attachment: []byte(`,"_attachment":"YQ=="`), Timestamp: then}, "", Keep},
		{"other content", withBoth, Body{Field: text}, `{"id":"a","x":1,"body":"say \"a\"","_timestamp":"` + now + `"}`, Update},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var copies []held
			if tt.held != "" {
				copies = []held{{"a", tt.held, now}}
			}
			var parts Parts
			p := NewPlanner(Options{}, table(Options{}, copies...), nil, &parts)
			p.Begin(parts.Add("p"), "", &Clashes{})
			d, err := p.Decide(&doc)
			if err != nil {
				t.Fatal(err)
			}
			if c := p.Encode(d, &doc, tt.body); c.Kind != tt.kind || string(c.Source) != tt.want {
				t.Errorf("%s, %s, want %s, %s", c.Kind, c.Source, tt.kind, tt.want)
			}
		})
	}
}

// TestADocumentIsNeverChanged: neither step writes into the document, whatever id and timestamp are written.
func TestADocumentIsNeverChanged(t *testing.T) {
	t.Parallel()
	set, err := rules.New([]rules.Rule{{ID: "1", Policy: "exclude", Field: "id", Rule: "starts_with", Value: "k"}})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 600)
	doc := document.Document{ID: long, Timestamp: now, Fields: fields("x", document.Int(1))}
	var parts Parts
	p := NewPlanner(Options{}, table(Options{}), set, &parts)
	p.Begin(parts.Add("p"), "", &Clashes{})
	d, err := p.Decide(&doc)
	if err != nil || d.Kind != Create || d.ID != ID(long) { // rules see the id to write
		t.Fatalf("%v, %+v", err, d)
	}
	before := d
	c := p.Encode(d, &doc, Body{Field: document.Field{Name: "body", Value: document.String("b")}, Timestamp: then})
	if doc.ID != long || doc.Timestamp != now || len(doc.Fields) != 1 || fmt.Sprint(d) != fmt.Sprint(before) {
		t.Errorf("the document is %+v, the decision %+v", doc, d)
	}
	if want := `{"id":"` + ID(long) + `","x":1,"body":"b","_timestamp":"` + then + `"}`; string(c.Source) != want {
		t.Errorf("got %s, want %s", c.Source, want)
	}
}

func TestPartsKeepTheirNames(t *testing.T) {
	t.Parallel()
	var parts Parts
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				name := fmt.Sprintf("part %d/%d", w, i)
				if got := parts.Name(parts.Add(name)); got != name {
					t.Errorf("got %q, want %q", got, name)
				}
			}
		})
	}
	wg.Wait()
}

func TestKindsHaveNames(t *testing.T) {
	t.Parallel()
	for kind, want := range map[Kind]string{
		Create: "create", Update: "update", Delete: "delete", Withheld: "withheld", Keep: "keep", Drop: "drop", Duplicate: "duplicate", Reject: "reject",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is %q, want %q", kind, got, want)
		}
	}
}

// TestATableThatFailsIsAnError: without an answer from the table there is no decision.
func TestATableThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	collected := ids.Collect(ids.Options{Dir: t.TempDir()}) // all in a file
	b := collected.Builder()
	for _, id := range []string{"a", "b"} {
		if err := b.Add(id, 1); err != nil {
			t.Fatal(err)
		}
	}
	tab, err := collected.Table()
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	set, err := rules.New([]rules.Rule{{ID: "1", Policy: "exclude", Field: "id", Rule: "equals", Value: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	var parts Parts
	p := NewPlanner(Options{}, tab, set, &parts)
	p.Begin(parts.Add("p"), "", &Clashes{})
	for _, id := range []string{"a", "b"} { // a rule excludes "b"
		if d, err := p.Decide(&document.Document{ID: id}); !errors.Is(err, ids.ErrFile) || d.Body {
			t.Errorf("%q: %v, %+v", id, err, d)
		}
	}
}

// With timestamps of whole seconds, another field distinguishes two versions of the same second.
func TestVersionFieldsArePartOfTheVersion(t *testing.T) {
	t.Parallel()
	o := Options{Compare: ByVersion, VersionFields: []string{"etag", "path"}}
	doc := func(etag, path string) document.Document {
		return document.Document{ID: "a", Timestamp: "t", Fields: []document.Field{
			{Name: "etag", Value: document.String(etag)}, {Name: "path", Value: document.String(path)},
		}}
	}
	stored := held{"a", `{"id":"a","etag":"1","path":"x","_timestamp":"t"}`, "t"}
	tests := []struct {
		rule string
		held held
		doc  document.Document
		want Kind
	}{
		{"all the same", stored, doc("1", "x"), Keep},
		{"one differs", stored, doc("2", "x"), Update},
		{"the other differs", stored, doc("1", "y"), Update},
		{"text does not move between fields", stored, doc("", "1x"), Update},
		{"a copy without them", held{"a", `{"id":"a","_timestamp":"t"}`, "t"}, doc("1", "x"), Update},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			var parts Parts
			p := NewPlanner(o, table(o, tt.held), nil, &parts)
			if got := decide(p, parts.Add("p"), tt.doc); got.Kind != tt.want {
				t.Errorf("got %v, %s; want %v", got.Kind, got.Reason, tt.want)
			}
		})
	}
}
