package output

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the style of the page
	"encoding/base64"
	"fmt"
	"strings"

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

	changes ordered[string]
	w       *bufio.Writer
	begun   bool
	listed  []item[string] // of the connector, in order
}

// Change implements [Printer].
func (p *htmlPrinter) Change(c report.Change) {
	if p.o.lists(c.Kind) {
		p.changes.collect(&c, func() (string, int) { text := htmlChange(&c); return text, len(text) })
	}
}

// htmlEscapes are the characters with a meaning in HTML. The hash would begin a command of GitHub Actions, see term.
var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "##[", "&#35;#[")

func htmlText(s string) string { return htmlEscapes.Replace(term.Plain(s)) }

// htmlName is a name set as code. Letters that are written from right to left do not move what follows.
func htmlName(s string) string { return "<code><bdi>" + htmlText(s) + "</bdi></code>" }

func htmlStrong(s string) string { return "<strong>" + s + "</strong>" }

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
	fields, more := shownChanges(c)
	for _, f := range fields {
		before, after := marks(f)
		fmt.Fprintf(&b, `<dt><bdi>%s</bdi></dt><dd class="value old">%s</dd><dd class="value new">%s</dd>`,
			htmlText(firstRunes([]byte(f.Name), 2*contextRunes)), before.html("del"), after.html("ins"))
	}
	if more != "" {
		fmt.Fprintf(&b, `<dt class="dim">%s</dt>`, more)
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
	p.changes.mu.Lock()
	defer p.changes.mu.Unlock()
	p.begin()
	p.changes.flush()
	fmt.Fprintf(p.w, "<section>\n<h2><bdi>%s</bdi></h2>\n<p>%s</p>\n", htmlText(o.Name), sentence(o, true, htmlText, htmlName))
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
	lines := adviceOf(o, htmlStrong, htmlText)
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
	tables := rows(o.Tally)
	if len(tables) == 0 {
		return
	}
	fmt.Fprint(p.w, "<h3>Tables</h3>\n<table><thead><tr><th>table</th>")
	for _, n := range tables[0].cells() {
		fmt.Fprintf(p.w, `<th class="n">%s</th>`, n.column)
	}
	fmt.Fprintln(p.w, "<th>changed fields</th></tr></thead><tbody>")
	for _, t := range tables {
		fmt.Fprintf(p.w, "<tr><td>%s</td>", t.title(htmlName))
		for _, n := range t.cells() {
			fmt.Fprintf(p.w, `<td class="n" data-label="%s">%s</td>`, n.column, term.Number(n.n))
		}
		fields := changedFields(t.Table, func(name string) string { return "<bdi>" + htmlText(firstRunes([]byte(name), contextRunes)) + "</bdi>" })
		if t.Unread != "" {
			fields = append(fields, htmlStrong(unreadTable))
		}
		fmt.Fprintf(p.w, "<td>%s</td></tr>\n", strings.Join(fields, ", "))
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
	p.changes.mu.Lock()
	defer p.changes.mu.Unlock()
	p.begin()
	for _, line := range adviceOn(all.Err, htmlStrong, htmlText) {
		fmt.Fprintf(p.w, "<p class=\"held\">%s</p>\n", line)
	}
	fmt.Fprintf(p.w, "<p class=\"dim\">Exit code %d.</p>\n</main>\n</body>\n</html>\n", all.Exit)
	_ = p.w.Flush()
}
