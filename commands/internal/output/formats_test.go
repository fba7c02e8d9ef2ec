package output

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// hostile are values that would be something else than text in one of the formats.
var hostile = []string{
	"</script><img src=x onerror=alert(1)>", "]]>", "--><b>", "a|b", "``` `x`", "*bold* _it_ ~~no~~ [a](http://b) ![c](d)", "@team #1 www.example.com :tada: $x$",
	"\x1b[2J\x1b]8;;http://e\x07", "\u202eevil\u2066", "two\r\nlines\n::error::injected", "\x00\x0b\ufffe\uffff\xff", `\| \`, "&lt;&amp;", "% % ", "<!-- elastic-ingest -->",
}

// hostileOutcome is a diff in which every name and value is hostile.
func hostileOutcome() (*Outcome, []report.Change) {
	y := &Tally{}
	var changes []report.Change
	for _, h := range hostile {
		quoted, _ := json.Marshal(h)
		for _, c := range []report.Change{
			{Kind: "update", Reason: string(plan.ContentDiffers), Title: h, Fields: []report.Field{{Name: h, Old: quoted, New: json.RawMessage(`"x` + string(quoted[1:]))}, {Name: "gone", Old: quoted}}},
			{Kind: "withheld", Reason: string(plan.GuardRefused)},
			{Kind: "duplicate", Reason: string(plan.SameID), First: h},
		} {
			c.Index, c.ID, c.Scope, c.Part = h, h, h, h
			y.Change(&c)
			changes = append(changes, c)
		}
		y.Unread(h, h)
	}
	all := strings.Join(hostile, " ")
	o := &Outcome{Name: all, Type: all, Destination: all, Exit: 4, Took: 1500 * time.Millisecond, Confirm: all, Tally: y, Failures: hostile, Remarks: hostile, Err: errors.New(all), Language: all}
	o.Result = engine.Result{Index: all, Counts: report.Snapshot{Read: 3, Updated: int64(len(hostile)), Withheld: 1}, Creates: &engine.NewIndex{Owner: all, Fields: 1}}
	return o, changes
}

// exampleOutcome is the result of exampleChanges.
func exampleOutcome() *Outcome {
	y := &Tally{}
	for i := range exampleChanges {
		y.Change(&exampleChanges[i])
	}
	y.Read(report.PartRead{Scope: "shop.products", Docs: 10_000})
	y.Read(report.PartRead{Scope: "shop.customers", Docs: 7})
	y.Unread("shop.orders", "access denied for user 'etl'")
	o := &Outcome{Name: "shop", Type: "postgresql", Destination: "https://es.example.com:9200", Exit: 4, Took: 310 * time.Millisecond, Tally: y}
	o.Result = engine.Result{
		Index: "search-shop", Failed: 1, Withheld: map[plan.Reason]int64{plan.GuardRefused: 1},
		Counts: report.Snapshot{Read: 10_000, Created: 1, Updated: 3, Deleted: 1, Withheld: 1, Kept: 9_996},
	}
	o.Failures = []string{"shop.orders: access denied for user 'etl'"}
	o.Remarks = []string{"nothing in shop.orders would be deleted, because it was not read completely", "would hold back 1 delete in shop.products (1 of 9 997 documents; limit 0)"}
	o.Confirm = "elastic-ingest sync shop --confirm-deletes 1"
	return o
}

func printed(t *testing.T, opt Options, o *Outcome, changes []report.Change) string {
	t.Helper()
	p, out := printing(opt)
	for _, c := range changes {
		p.Change(c)
	}
	p.Connector(o)
	p.End(&Total{Outcomes: []*Outcome{o}, Exit: o.Exit, Took: o.Took})
	return out.String()
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for form, file := range map[string]string{Markdown: "diff.md", JUnit: "diff.xml"} {
		golden.Compare(t, filepath.Join("testdata", file), printed(t, Options{Form: form, Limit: 4}, exampleOutcome(), exampleChanges))
		o, changes := hostileOutcome()
		golden.Compare(t, filepath.Join("testdata", "hostile_"+file), printed(t, Options{Form: form, Limit: 50}, o, changes))
	}
}

// TestJUnitIsXML: hostile values leave valid XML, whose counts are those of its tests.
func TestJUnitIsXML(t *testing.T) {
	t.Parallel()
	o, changes := hostileOutcome()
	text := printed(t, Options{Form: JUnit}, o, changes)
	elements := strings.Fields("testsuites testsuite properties property testcase failure error system-out")
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(xml.StartElement); ok && !slices.Contains(elements, s.Name.Local) {
			t.Errorf("element %s", s.Name.Local)
		}
	}
	var got junitSuites
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	s := got.Suites[0]
	if len(got.Suites) != 1 || got.Tests != len(s.Cases) || got.Tests != len(hostile)+1 || got.Failures != len(hostile) || got.Errors != 1 {
		t.Errorf("%d tests, %d failures, %d errors, %d suites", got.Tests, got.Failures, got.Errors, len(got.Suites))
	}
	for _, c := range s.Cases {
		if strings.ContainsFunc(c.Name, term.Escaped) {
			t.Errorf("name %q", c.Name)
		}
	}
}

// TestAJUnitTestFailsWhereATableDoes: a diff fails on differences unless --exit-zero is given, a sync does not.
func TestAJUnitTestFailsWhereATableDoes(t *testing.T) {
	t.Parallel()
	y := &Tally{}
	y.Change(changed(plan.Create, "differs"))
	y.Read(report.PartRead{Scope: "same", Docs: 1})
	y.Change(changed(plan.Reject, "rejected"))
	for name, tt := range map[string]struct {
		o    Options
		want string
	}{
		"diff":             {Options{Dry: true}, "differs rejected"},
		"diff --exit-zero": {Options{Dry: true, ExitZero: true}, "rejected"},
		"sync":             {Options{}, "rejected"},
	} {
		var out bytes.Buffer
		tt.o.Form = JUnit
		New(&out, tt.o).End(&Total{Outcomes: []*Outcome{{Name: "c", Tally: y}, {Name: "empty", Err: errors.New("no")}}, Err: errors.New("whole")})
		var suites junitSuites
		if err := xml.Unmarshal(out.Bytes(), &suites); err != nil {
			t.Fatal(err)
		}
		var failed []string
		for _, c := range suites.Suites[0].Cases {
			if c.Failure != nil {
				failed = append(failed, c.Name)
			}
		}
		if got := strings.Join(failed, " "); got != tt.want || len(suites.Suites[0].Cases) != 3 || suites.Errors != 2 {
			t.Errorf("%s: failed %q, want %q; %d errors", name, got, tt.want, suites.Errors)
		}
	}
}

// TestMarkdownIsInert: hostile values add no column, no tag, no link and no mention.
func TestMarkdownIsInert(t *testing.T) {
	t.Parallel()
	o, changes := hostileOutcome()
	text := printed(t, Options{Form: Markdown, Limit: 50}, o, changes)
	if n := strings.Count(text, Marker); n != 2 || !strings.HasPrefix(text, Marker+"\n") { // the command has one, within its block
		t.Errorf("%d markers", n)
	}
	before, command, _ := strings.Cut(text, "\n````sh\n")
	command, after, closed := strings.Cut(command, "\n````\n")
	if !closed || strings.Contains(command, "\n") {
		t.Errorf("the block of the command is %q", command)
	}
	allowed := regexp.MustCompile(`</?(code|br|details|summary)>|` + regexp.QuoteMeta(Marker))
	reference := regexp.MustCompile(`&#[0-9]+;`)
	columns := 0
	for line := range strings.Lines(before + "\n" + after) {
		line = strings.TrimSuffix(line, "\n")
		bare := reference.ReplaceAllString(allowed.ReplaceAllString(line, ""), "")
		if strings.ContainsAny(bare, "<>&`@[]\\~$") || strings.Contains(bare, "www.") || strings.ContainsFunc(strings.ReplaceAll(bare, "\u200b", ""), term.Escaped) {
			t.Errorf("line %q", bare)
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns == 0:
			columns = strings.Count(line, "|")
		case strings.Count(line, "|") != columns:
			t.Errorf("%d columns instead of %d: %s", strings.Count(line, "|"), columns, line)
		}
	}
	if strings.Contains(markdownText("a@b #1"), "&#64;b") || strings.Contains(markdownText("a@b #1"), "&#35;1") {
		t.Error("a mention is linked")
	}
}

func TestADocumentHasALimit(t *testing.T) {
	t.Parallel()
	for limit, ok := range map[int]bool{0: false, 1: true, mostOrdered: true, mostOrdered + 1: false} {
		o := Options{Form: Markdown, Limit: limit}
		if err := o.Limited(true); (err == nil) != ok {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	o := Options{Form: Markdown}
	if err := o.Limited(false); err != nil || o.Limit != 50 {
		t.Errorf("limit %d, %v", o.Limit, err)
	}
}
