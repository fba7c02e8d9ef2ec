package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

var exampleChanges = []report.Change{
	{Kind: "update", Reason: string(plan.ContentDiffers), Index: "search-shop", ID: "products_1042", Part: "shop.products", Scope: "shop.products", Fields: []report.Field{
		{Name: "price", Old: json.RawMessage(`"12.50"`), New: json.RawMessage(`"11.90"`)},
		{Name: "stock", Old: json.RawMessage(`7`), New: json.RawMessage(`3`)},
	}},
	{Kind: "create", Reason: string(plan.NotInIndex), Index: "search-shop", ID: "products_1043", Part: "shop.products", Scope: "shop.products"},
	{Kind: "delete", Reason: string(plan.GoneFromSource), Index: "search-shop", ID: "products_0007", Part: "shop.products", Scope: "shop.products"},
	{Kind: "withheld", Reason: string(plan.GuardRefused), Index: "search-shop", ID: "products_0008", Part: "shop.products", Scope: "shop.products"},
	{Kind: "update", Reason: string(plan.ContentDiffers), Index: "search-shop", ID: "article_1", Part: "shop.articles", Scope: "shop.articles", Title: "A title that says more than the id", Fields: []report.Field{
		{Name: "body", Old: json.RawMessage(`"` + strings.Repeat("The same. ", 30) + `The old end."`), New: json.RawMessage(`"` + strings.Repeat("The same. ", 30) + `The new end."`)},
		{Name: "the_name_of_a_field_that_is_very_long_in_itself", Old: json.RawMessage(`1`), New: json.RawMessage(`2`)},
	}},
	{Kind: "update", Reason: string(plan.ContentDiffers), Index: "search-shop", ID: "日本語_\x1b[2J", Part: "shop.articles", Scope: "shop.articles", Fields: []report.Field{
		{Name: "body", Old: json.RawMessage(`"` + strings.Repeat("あ", 200) + `"`), New: json.RawMessage("{\n  \"a\": [1, 2,\t3]\n}")},
		{Name: "gone", Old: json.RawMessage(`null`)},
	}},
}

// printing creates a printer of a diff that prints into memory.
func printing(o Options) (Printer, *bytes.Buffer) {
	o.Dry = true
	streams, out, _ := term.TestStreams(o.Width, nil)
	o.Palette = streams.Palette(streams.OutTTY, term.Auto)
	return New(out, o), out
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int{"file": 0, "terminal_40": 40, "terminal_80": 80, "terminal_100": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out := printing(Options{Form: Text, Width: width})
			for _, c := range exampleChanges {
				p.Change(c)
			}
			o := &Outcome{Name: "shop", Type: "postgresql", Took: 310_000_000}
			o.Result = engine.Result{Index: "search-shop", Counts: report.Snapshot{Read: 10_000, Created: 1, Updated: 3, Deleted: 1, Withheld: 1, Kept: 9_996}}
			p.Connector(o)
			p.End(&Total{Outcomes: []*Outcome{o}})
			golden.Compare(t, filepath.Join("testdata", "diff", name+".txt"), out.String())
			for line := range strings.Lines(out.String()) {
				line = strings.TrimRight(line, "\n")
				if strings.Contains(line, "\x1b[2J") {
					t.Errorf("a control sequence of an id: %q", line)
				}
				if width > 0 && term.Columns(line) > width {
					t.Errorf("wider than %d: %q", width, line)
				}
			}
		})
	}
}

// TestTheOrderOfADiffIsStable: the same changes print the same lines, whatever was read first.
func TestTheOrderOfADiffIsStable(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ changes, limit, most int }{
		"few":            {changes: 300, most: 300},
		"few, limited":   {changes: 300, limit: 20, most: 20},
		"many, limited":  {changes: 3 * mostOrdered, limit: 20, most: 20},
		"many, a higher": {changes: 2*mostOrdered + 1, limit: mostOrdered - 1, most: mostOrdered - 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var changes []report.Change
			for i := range tt.changes {
				changes = append(changes, report.Change{Kind: "delete", Reason: "gone", Index: "i", ID: fmt.Sprintf("%06d", i/3), Scope: fmt.Sprint(i % 3)})
			}
			var want string
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, 0))
				r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
				p, out := printing(Options{Form: Text, Limit: tt.limit})
				for _, c := range changes {
					p.Change(c)
				}
				p.Connector(&Outcome{})
				got := out.String()
				if n := strings.Count(got, "gone"); n != tt.most {
					t.Fatalf("%d lines, want %d", n, tt.most)
				}
				if left := tt.changes - tt.most; left > 0 && !strings.Contains(got, term.Number(int64(left))+" changes, omitted") {
					t.Errorf("the last line is %q", got[strings.LastIndex(got, "…"):])
				}
				if want == "" {
					want = got
				}
				if got != want || !strings.HasPrefix(got, "- i  000000   gone\n- i  000001") {
					t.Errorf("seed %d: another order", seed)
				}
			}
		})
	}
}

// TestABlockOfChangesIsOrdered: more changes than fit into memory are ordered in blocks, and none is lost.
func TestABlockOfChangesIsOrdered(t *testing.T) {
	t.Parallel()
	p, out := printing(Options{Form: Text})
	for i := range mostOrdered + 2 {
		p.Change(report.Change{Kind: "delete", Reason: "gone", Index: "i", ID: fmt.Sprint(2*mostOrdered - i)})
	}
	p.End(&Total{})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != mostOrdered+2 || lines[0] != "- i  10000   gone" || lines[mostOrdered] != "- i  4999   gone" || lines[mostOrdered+1] != "- i  5000   gone" {
		t.Errorf("%d lines, the first %q, the last ones %q", len(lines), lines[0], lines[len(lines)-3:])
	}
}

// TestALongValueIsShortenedAroundTheDifference on every width.
func TestALongValueIsShortenedAroundTheDifference(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é日 ", 300)
	quoted := func(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }
	for name, tt := range map[string]struct{ before, after, from, to string }{
		"in the middle":     {long + "old" + long, long + "new" + long, "old", "new"},
		"at the end":        {long + "old", long + "new", `old"`, `new"`},
		"at the beginning":  {"old" + long, "new" + long, `"old`, `"new`},
		"the old is longer": {long + "old", long, "old", `"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for width := shortestValue; width < 100; width++ {
				from, to := pair(quoted(tt.before), quoted(tt.after), width, width)
				if !strings.Contains(from, tt.from) || !strings.Contains(to, tt.to) || term.Columns(from) > width || term.Columns(to) > width {
					t.Fatalf("width %d: %q -> %q", width, from, to)
				}
			}
		})
	}
	from, to := pair(nil, json.RawMessage(`{ "a": 1 }`), 20, 20)
	if from != "absent" || to != `{"a":1}` {
		t.Errorf("got %q, %q", from, to)
	}
}

func FuzzPair(f *testing.F) {
	f.Add(`"abc"`, `"abd"`, 12)
	f.Add("\xff\xfe\x80", "\xff\x80\x80", 13)
	f.Add(strings.Repeat("日", 400)+"\x1b", strings.Repeat("日", 400)+"\u202e", 40)
	f.Fuzz(func(t *testing.T, a, b string, width int) {
		if width < shortestValue || width > 200 {
			return
		}
		from, to := pair(json.RawMessage(a), json.RawMessage(b), width, width)
		for _, s := range []string{from, to} {
			if term.Columns(s) > width || strings.ContainsFunc(s, term.Escaped) || !utf8.ValidString(s) {
				t.Errorf("%q in %d columns", s, width)
			}
		}
	})
}

func TestAFirstRunSaysWhatTheIndexWillLookLike(t *testing.T) {
	t.Parallel()
	o := &Outcome{Name: "shop", Language: "de"}
	o.Result = engine.Result{Index: "search-shop", Creates: &engine.NewIndex{Owner: "postgresql/shop\x1b", Fields: 42, Open: true}}
	for form, want := range map[string]string{
		Text: `search-shop does not exist; sync creates it: 42 mapped fields, more as documents bring them; language de; owner postgresql/shop\x1b` + "\n",
		JSON: `"creates":{"owner":"postgresql/shop\u001b","fields":42,"language":"de","open":true}`,
	} {
		p, out := printing(Options{Form: form})
		p.Connector(o)
		p.End(&Total{Outcomes: []*Outcome{o}})
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: got %s", form, out)
		}
	}
}

func TestLimitCountsOmittedChanges(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{Text: "… and 5 changes, omitted by --limit 1\n", NDJSON: `"omitted":5`} {
		p, out := printing(Options{Form: form, Limit: 1})
		for _, c := range exampleChanges {
			p.Change(c)
		}
		p.Connector(&Outcome{})
		p.End(&Total{})
		if got := out.String(); !strings.Contains(got, want) || strings.Count(got, "products_")+strings.Count(got, "article_") != 1 {
			t.Errorf("%s: got %s", form, got)
		}
	}
}

// TestALimitedCollectionHasAMaximumSize: large changes are omitted before memory is, and all are counted.
func TestALimitedCollectionHasAMaximumSize(t *testing.T) {
	t.Parallel()
	var got []string
	o := ordered[string]{limit: mostOrdered}
	o.write = func(list []item[string]) {
		for _, one := range list {
			got = append(got, one.id)
		}
	}
	const changes = 2000
	for i := range changes {
		o.add(item[string]{id: fmt.Sprintf("%04d", changes-1-i), bytes: 1 << 20})
		if o.bytes > mostLimitedBytes {
			t.Fatalf("%d bytes", o.bytes)
		}
	}
	o.flush()
	if len(got) == 0 || got[0] != "0000" || !slices.IsSorted(got) || int64(len(got))+o.omitted != changes {
		t.Errorf("%d changes from %v, %d omitted", len(got), got[:1], o.omitted)
	}
	if !o.isBeyond("", "9999", "") || o.omitted != int64(changes-len(got)+1) {
		t.Error("a change beyond the last one is not omitted")
	}
	if o.reset(); o.isBeyond("", "9999", "") {
		t.Error("the next connector begins with a limit")
	}
}
