package output

import (
	"bufio"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// Marker is the first line of Markdown output. It is invisible when rendered, so that a script finds the comment
// that it has to replace.
const Marker = "<!-- elastic-ingest -->"

// markdownValue is the width of a value in Markdown.
const markdownValue = 60

// markdownPrinter writes what one pastes into a pull request: for each connector the counts, a table of tables,
// what to do, and the first changes, folded.
type markdownPrinter struct {
	o Options

	mu    sync.Mutex
	w     *bufio.Writer
	begun bool
	rows  ordered[string]
}

// Change implements [Printer].
func (p *markdownPrinter) Change(c report.Change) {
	if c.Kind == plan.Keep.String() || c.Kind == plan.Drop.String() {
		if !p.o.All {
			return
		}
	}
	p.mu.Lock()
	beyond := p.rows.isBeyond(c.Scope, c.ID, c.Kind)
	p.mu.Unlock()
	if beyond {
		return
	}
	row := fmt.Sprintf("| %s | %s | %s |\n", kindName(c.Kind), markdownCode(c.ID), markdownDetail(&c))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows.add(item[string]{scope: c.Scope, id: c.ID, kind: c.Kind, bytes: len(row), shown: row})
}

// kindName is the kind of a change for people.
func kindName(kind string) string {
	if kind == plan.Withheld.String() {
		return "held back"
	}
	return kind
}

// markdownDetail is the title of a document, and its changed fields or the reason.
func markdownDetail(c *report.Change) string {
	var parts []string
	if c.Title != "" {
		parts = append(parts, markdownText(c.Title))
	}
	for i, f := range c.Fields {
		if i == belowFields {
			parts = append(parts, "and "+term.Plural(int64(len(c.Fields)-i), "more field", "more fields"))
			break
		}
		from, to := pair(f.Old, f.New, markdownValue, markdownValue)
		parts = append(parts, markdownText(f.Name)+": "+markdownCode(from)+" → "+markdownCode(to))
	}
	if len(c.Fields) == 0 {
		parts = append(parts, markdownText(reasonOf(c)))
	}
	return strings.Join(parts, "<br>")
}

// begin writes the marker once.
func (p *markdownPrinter) begin() {
	if !p.begun {
		p.begun = true
		fmt.Fprintln(p.w, Marker)
	}
}

// Connector implements [Printer].
func (p *markdownPrinter) Connector(o *Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	fmt.Fprintf(p.w, "### %s %s\n\n", markdownText(o.Name), verdict(o, p.o.Dry))
	fmt.Fprintf(p.w, "%s into index %s at %s: %s (read %s in %s). Exit code %d.\n",
		markdownText(o.Type), markdownCode(o.Result.Index), markdownCode(o.Destination), countsOf(o, p.o.Dry), term.Number(o.Result.Counts.Read), term.Took(o.Took), o.Exit)
	p.tables(o)
	p.advice(o)
	p.changes()
	_ = p.w.Flush() // the writer keeps the error
}

// verdict is the result of a connector in a word or two.
func verdict(o *Outcome, dry bool) string {
	switch {
	case o.Err != nil:
		return "❌ failed"
	case o.Result.Incomplete():
		return "⚠️ incomplete"
	case o.Result.WithheldDeletes() > 0:
		return "⚠️ changes held back"
	case dry && o.Result.Differences():
		return "± differs"
	}
	return "✅ done"
}

// tables writes the table of tables.
func (p *markdownPrinter) tables(o *Outcome) {
	if text := newIndex(o); text != "" {
		fmt.Fprintf(p.w, "\n%s\n", markdownText(text))
	}
	tables, rest := o.Tally.Changed()
	if len(tables) == 0 && rest == nil {
		return
	}
	fmt.Fprint(p.w, "\n| table | create | update | delete | held back | not done | changed fields |\n|---|--:|--:|--:|--:|--:|---|\n")
	row := func(name string, t *Table) {
		fields := changedFields(t, markdownText)
		if t.Unread != "" {
			fields = append(fields, "**not read completely**: "+markdownText(t.Unread))
		}
		fmt.Fprintf(p.w, "| %s | %s | %s | %s | %s | %s | %s |\n", name, term.Number(t.Created), term.Number(t.Updated), term.Number(t.Deleted),
			term.Number(t.Withheld), term.Number(t.Rejected+t.Duplicates+t.ContentErrors), strings.Join(fields, ", "))
	}
	for _, t := range tables[:min(len(tables), shownTables)] {
		row(markdownCode(tableName(t.Name)), t)
	}
	if sum, text := others(tables, rest); sum != nil {
		row(text, sum)
	}
}

// advice writes remarks, the error, and the command that continues.
func (p *markdownPrinter) advice(o *Outcome) {
	lines := adviceOf(o, func(word string) string { return "**" + word + "**" }, markdownText)
	if len(lines) > 0 {
		fmt.Fprintf(p.w, "\n- %s\n", strings.Join(lines, "\n- "))
	}
	if o.Confirm != "" {
		fmt.Fprintf(p.w, "\nTo continue:\n\n%s", markdownBlock("sh", o.Confirm))
	}
}

// changes writes the first changes, folded.
func (p *markdownPrinter) changes() {
	p.rows.flush()
	if p.rows.printed > 0 {
		fmt.Fprint(p.w, "\n</details>\n")
	}
	if p.rows.omitted > 0 {
		fmt.Fprintf(p.w, "\n%s omitted.\n", term.Plural(p.rows.omitted, "further change is", "further changes are"))
	}
	p.rows.reset()
	fmt.Fprintln(p.w)
}

// block writes some of the rows of changes.
func (p *markdownPrinter) block(rows []item[string]) {
	p.begin()
	if p.rows.printed == len(rows) { // the first ones
		fmt.Fprint(p.w, "\n<details><summary>Changes</summary>\n\n| change | document | details |\n|---|---|---|\n")
	}
	for i := range rows {
		_, _ = p.w.WriteString(rows[i].shown)
	}
}

// End implements [Printer].
func (p *markdownPrinter) End(all *Total) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin()
	if all.Err != nil {
		fmt.Fprintf(p.w, "### ❌ elastic-ingest failed\n\n- **error**: %s\n", markdownText(all.Err.Error()))
		if hint := logs.HintOf(all.Err); hint != "" {
			fmt.Fprintf(p.w, "- **hint**: %s\n", markdownText(hint))
		}
		fmt.Fprintln(p.w)
	}
	if all.Err != nil || len(all.Outcomes) != 1 {
		fmt.Fprintf(p.w, "Exit code %d.\n", all.Exit)
	}
	_ = p.w.Flush()
}
