package output

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the style of the page
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

//go:embed page.css
var pageStyle string

// htmlPrinter writes a diff as one page: it loads nothing, runs no script, and escapes every name and value. The
// policy in its head permits exactly its own style.
type htmlPrinter struct {
	o Options

	mu      sync.Mutex
	w       *bufio.Writer
	begun   bool
	changes ordered[string]
	listed  []item[string] // of the connector, in order
}

// Change implements [Printer].
func (p *htmlPrinter) Change(c report.Change) {
	if (c.Kind == plan.Keep.String() || c.Kind == plan.Drop.String()) && !p.o.All {
		return
	}
	p.mu.Lock()
	beyond := p.changes.isBeyond(c.Scope, c.ID, c.Kind)
	p.mu.Unlock()
	if beyond {
		return
	}
	text := htmlChange(&c)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes.add(item[string]{scope: c.Scope, id: c.ID, kind: c.Kind, bytes: len(text), shown: text})
}

// htmlEscapes are the characters with a meaning in HTML. The hash would begin a command of GitHub Actions, see term.
var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "##[", "&#35;#[")

func htmlText(s string) string { return htmlEscapes.Replace(term.Plain(s)) }

// htmlName is a name set as code. Letters that are written from right to left do not move what follows.
func htmlName(s string) string { return "<code><bdi>" + htmlText(s) + "</bdi></code>" }

// htmlChange is one change in the list of its table.
func htmlChange(c *report.Change) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<li class="%s"><span class="mark" title="%s">%s</span>%s`, c.Kind, kindName(c.Kind), htmlText(mark(c.Kind)), htmlName(c.ID))
	if c.Title != "" {
		fmt.Fprintf(&b, " <bdi>%s</bdi>", htmlText(firstRunes([]byte(c.Title), 2*contextRunes)))
	}
	if len(c.Fields) == 0 {
		fmt.Fprintf(&b, ` <span class="dim"><bdi>%s</bdi></span></li>`+"\n", htmlText(reasonOf(c)))
		return b.String()
	}
	b.WriteString("<dl>")
	for i, f := range c.Fields {
		if i == belowFields {
			fmt.Fprintf(&b, `<dt class="dim">and %s</dt>`, term.Plural(int64(len(c.Fields)-i), "more field", "more fields"))
			break
		}
		before, after := marks(f)
		fmt.Fprintf(&b, `<dt><bdi>%s</bdi></dt><dd class="value old">%s</dd><dd class="value new">%s</dd>`,
			htmlText(firstRunes([]byte(f.Name), 2*contextRunes)), before.html("del"), after.html("ins"))
	}
	b.WriteString("</dl></li>\n")
	return b.String()
}

// html is a value with the part that differs in an element.
func (m marked) html(element string) string {
	if m.absent {
		return `<span class="dim">absent</span>`
	}
	own := ""
	if m.own != "" {
		own = "<" + element + ">" + htmlText(m.own) + "</" + element + ">"
	}
	return "<bdi>" + htmlText(m.before) + own + htmlText(m.after) + "</bdi>"
}

// begin writes the head of the page once.
func (p *htmlPrinter) begin() {
	if p.begun {
		return
	}
	p.begun = true
	sum := sha256.Sum256([]byte(pageStyle))
	fmt.Fprintf(p.w, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>elastic-ingest diff</title>
<style>%s</style>
</head>
<body>
<main>
<h1>elastic-ingest diff</h1>
`, base64.StdEncoding.EncodeToString(sum[:]), pageStyle)
}

// Connector implements [Printer].
func (p *htmlPrinter) Connector(o *Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	p.changes.flush()
	fmt.Fprintf(p.w, "<section>\n<h2><bdi>%s</bdi></h2>\n<p>%s into index %s at %s: %s (read %s in %s). Exit code %d.</p>\n",
		htmlText(o.Name), htmlText(o.Type), htmlName(o.Result.Index), htmlName(o.Destination), countsOf(o, true), term.Number(o.Result.Counts.Read), term.Took(o.Took), o.Exit)
	held := func(kind string) bool { return kind == plan.Withheld.String() }
	p.byTable(o, "Held back", "details open", held) // which needs a decision
	p.advice(o)
	p.tables(o)
	p.byTable(o, "Changes", "details", func(kind string) bool { return !held(kind) })
	if n := p.changes.omitted; n > 0 {
		fmt.Fprintf(p.w, "<p class=\"dim\">%s omitted by --limit %d. The counts are complete.</p>\n", term.Plural(n, "change is", "changes are"), p.o.Limit)
	}
	p.changes.reset()
	p.listed = nil
	fmt.Fprintln(p.w, "</section>")
	_ = p.w.Flush() // the writer keeps the error
}

// advice writes remarks, errors, and the command that continues.
func (p *htmlPrinter) advice(o *Outcome) {
	lines := adviceOf(o, func(word string) string { return "<strong>" + word + "</strong>" }, htmlText)
	if text := newIndex(o); text != "" {
		lines = append(lines, htmlText(text))
	}
	if len(lines) > 0 {
		fmt.Fprintf(p.w, "<ul class=\"held\">\n<li>%s</li>\n</ul>\n", strings.Join(lines, "</li>\n<li>"))
	}
	if o.Confirm != "" {
		fmt.Fprintf(p.w, "<p>To continue:</p>\n<pre>%s</pre>\n", htmlText(o.Confirm))
	}
}

// tables writes the summary.
func (p *htmlPrinter) tables(o *Outcome) {
	tables, rest := o.Tally.Changed()
	if len(tables) == 0 && rest == nil {
		return
	}
	fmt.Fprint(p.w, `<h3>Tables</h3>
<table><thead><tr><th>table</th><th class="n">create</th><th class="n">update</th><th class="n">delete</th><th class="n">held back</th><th class="n">not done</th><th>changed fields</th></tr></thead><tbody>
`)
	row := func(name string, t *Table) {
		fmt.Fprintf(p.w, "<tr><td>%s</td>", name)
		for _, n := range [...]struct {
			label string
			n     int64
		}{{"create", t.Created}, {"update", t.Updated}, {"delete", t.Deleted}, {"held back", t.Withheld}, {"not done", t.Rejected + t.Duplicates + t.ContentErrors}} {
			fmt.Fprintf(p.w, `<td class="n" data-label="%s">%s</td>`, n.label, term.Number(n.n))
		}
		fields := changedFields(t, func(name string) string { return "<bdi>" + htmlText(firstRunes([]byte(name), contextRunes)) + "</bdi>" })
		if t.Unread != "" {
			fields = append(fields, "<strong>not read completely</strong>")
		}
		fmt.Fprintf(p.w, "<td>%s</td></tr>\n", strings.Join(fields, ", "))
	}
	for _, t := range tables[:min(len(tables), shownTables)] {
		row(htmlName(tableName(t.Name)), t)
	}
	if sum, text := others(tables, rest); sum != nil {
		row(text, sum)
	}
	fmt.Fprintln(p.w, "</tbody></table>")
}

// byTable writes the changes of some kinds by table: folded, or not.
func (p *htmlPrinter) byTable(o *Outcome, title, element string, wanted func(kind string) bool) {
	scope, begun := "", false
	for i := range p.listed {
		one := &p.listed[i]
		if !wanted(one.kind) {
			continue
		}
		if !begun || one.scope != scope {
			if begun {
				fmt.Fprintln(p.w, "</ul></details>")
			} else {
				fmt.Fprintf(p.w, "<h3>%s</h3>\n", title)
			}
			scope, begun = one.scope, true
			fmt.Fprintf(p.w, "<%s><summary>%s</summary>\n<ul class=\"changes\">\n", element, htmlName(o.Tally.nameOf(scope)))
		}
		_, _ = p.w.WriteString(one.shown)
	}
	if begun {
		fmt.Fprintln(p.w, "</ul></details>")
	}
}

// End implements [Printer].
func (p *htmlPrinter) End(all *Total) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	if all.Err != nil {
		fmt.Fprintf(p.w, "<p class=\"held\"><strong>error</strong>: %s</p>\n", htmlText(all.Err.Error()))
		if hint := logs.HintOf(all.Err); hint != "" {
			fmt.Fprintf(p.w, "<p class=\"held\"><strong>hint</strong>: %s</p>\n", htmlText(hint))
		}
	}
	fmt.Fprintf(p.w, "<p class=\"dim\">Exit code %d.</p>\n</main>\n</body>\n</html>\n", all.Exit)
	_ = p.w.Flush()
}
