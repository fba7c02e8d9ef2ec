package output

import (
	"crypto/sha256"
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/golden"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// attributes are those that a page may have, by element; an element without any is not listed.
var attributes = map[string]string{
	"html": "lang", "meta": "charset http-equiv content name", "li": "class", "span": "class title", "dd": "class", "dt": "class", "details": "open",
	"p": "class", "ul": "class", "th": "class", "td": "class data-label",
}

const pageElements = "html head meta title style body main h1 h2 h3 section p code bdi ul li pre table thead tbody tr th td details summary span dl dt dd del ins strong"

func pageNodes(t *testing.T, text string) (nodes []*html.Node) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		nodes = append(nodes, n)
	}
	return nodes
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestThePage(t *testing.T) {
	t.Parallel()
	golden.Compare(t, filepath.Join("testdata", "diff.html"), printed(t, Options{Form: HTML, Limit: 5}, exampleOutcome(), exampleChanges))
}

// TestThePageIsInert: hostile values add no element and no attribute, and all of them are shown as text.
func TestThePageIsInert(t *testing.T) {
	t.Parallel()
	o, changes := hostileOutcome()
	text := printed(t, Options{Form: HTML, Limit: 500}, o, changes)
	if strings.Contains(text, "##[") || strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), term.Escaped) {
		t.Error("the page has a command or a control character")
	}
	var values, summaries []string
	var held, tables, styles int
	for i, n := range pageNodes(t, text) {
		switch {
		case n.Type == html.CommentNode:
			t.Errorf("comment %q", n.Data)
		case n.Type != html.ElementNode:
			continue
		case !slices.Contains(strings.Fields(pageElements), n.Data):
			t.Errorf("element %s", n.Data)
		}
		for _, a := range n.Attr {
			if !slices.Contains(strings.Fields(attributes[n.Data]), a.Key) || a.Key == "content" && strings.Contains(a.Val, "script") {
				t.Errorf("attribute %s=%q of %s", a.Key, a.Val, n.Data)
			}
		}
		switch n.Data {
		case "bdi":
			values = append(values, textOf(n))
		case "summary":
			summaries = append(summaries, textOf(n))
		case "style":
			styles++
		case "h3":
			switch textOf(n) {
			case "Held back":
				held = i
			case "Tables":
				tables = i
			}
		case "details":
			if n.FirstChild.Data != "summary" {
				t.Error("details without a summary")
			}
		}
	}
	for _, h := range hostile {
		if !slices.Contains(values, term.Plain(h)) {
			t.Errorf("%q is not shown", h)
		}
	}
	if held == 0 || held > tables || styles != 1 || len(summaries) != 2*len(hostile) {
		t.Errorf("held back at %d, tables at %d; %d styles; summaries %q", held, tables, styles, summaries)
	}
}

// TestThePolicyPermitsOnlyTheStyleOfThePage: no script, no request.
func TestThePolicyPermitsOnlyTheStyleOfThePage(t *testing.T) {
	t.Parallel()
	text := printed(t, Options{Form: HTML, Limit: 5}, exampleOutcome(), nil)
	_, style, _ := strings.Cut(text, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := `content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(sum[:]) + `'; base-uri 'none'; form-action 'none'">`
	policy, head := strings.Index(text, want), strings.Index(text, "<style>")
	if policy < 0 || policy > head || strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Errorf("the policy is not %s", want)
	}
}

func TestThePageSaysHowManyChangesItOmits(t *testing.T) {
	t.Parallel()
	text := printed(t, Options{Form: HTML, Limit: 2}, exampleOutcome(), exampleChanges)
	if got := strings.Count(text, `<li class="`); got != 2 || !strings.Contains(text, "4 changes are omitted by --limit 2. The counts are complete.") {
		t.Errorf("%d changes: %s", got, text)
	}
}

// TestTheDifferenceIsMarked: what is not marked is the same on both sides.
func TestTheDifferenceIsMarked(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("same ", 100)
	for name, tt := range map[string]struct{ before, after, own, other string }{
		"a number":          {`12.50`, `11.90`, "2.5", "1.9"},
		"a word in a text":  {`"` + long + "old" + long + `"`, `"` + long + "new" + long + `"`, "old", "new"},
		"only more":         {`"ab"`, `"aab"`, "", "a"},
		"half a character":  {`"é"`, `"è"`, "é", "è"},
		"half at the end":   {`"Ȃ"`, `"Ă"`, "Ȃ", "Ă"},
		"everything":        {`1`, `[2]`, "1", "[2]"},
		"the same, written": {`{"a": 1}`, `{"a":1}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := marks(report.Field{Old: []byte(tt.before), New: []byte(tt.after)})
			if a.own != tt.own || b.own != tt.other || a.before != b.before || a.after != b.after {
				t.Errorf("got %+v and %+v", a, b)
			}
		})
	}
	if a, b := marks(report.Field{New: []byte(`1`)}); !a.absent || b.own != "1" {
		t.Errorf("got %+v and %+v", a, b)
	}
	if a, _ := marks(report.Field{Old: []byte(strings.Repeat("é", 1<<20)), New: []byte("1")}); utf8.RuneCountInString(a.own) != differRunes+2 {
		t.Errorf("%d characters", utf8.RuneCountInString(a.own))
	}
}
