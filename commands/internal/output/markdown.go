package output

import (
	"bufio"
	"fmt"
	"strings"

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

	changes ordered[string]
	w       *bufio.Writer
	begun   bool
}

// Change implements [Printer].
func (p *markdownPrinter) Change(c report.Change) {
	if p.o.lists(c.Kind) {
		p.changes.collect(&c, func() (string, int) { text := markdownChange(&c); return text, len(text) })
	}
}

// markdownChange is a change as a row of the table of changes.
func markdownChange(c *report.Change) string {
	return fmt.Sprintf("| %s | %s | %s |\n", kindName(c.Kind), markdownCode(c.ID), markdownDetail(c))
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
	fields, more := shownChanges(c)
	for _, f := range fields {
		from, to := pair(f.Old, f.New, markdownValue, markdownValue)
		parts = append(parts, markdownText(f.Name)+": "+markdownCode(from)+" → "+markdownCode(to))
	}
	if more != "" {
		parts = append(parts, more)
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
	p.changes.mu.Lock()
	defer p.changes.mu.Unlock()
	p.begin()
	fmt.Fprintf(p.w, "### %s %s\n\n%s\n", markdownText(o.Name), verdict(o, p.o.Dry), sentence(o, p.o.Dry, markdownText, markdownCode))
	p.tables(o)
	p.advice(o)
	p.endChanges()
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
	tables := rows(o.Tally)
	if len(tables) == 0 {
		return
	}
	head, line := "\n| table |", "\n|---|"
	for _, n := range tables[0].cells() {
		head, line = head+" "+n.column+" |", line+"--:|"
	}
	fmt.Fprint(p.w, head+" changed fields |"+line+"---|\n")
	for _, t := range tables {
		fmt.Fprintf(p.w, "| %s |", t.title(markdownCode))
		for _, n := range t.cells() {
			fmt.Fprintf(p.w, " %s |", term.Number(n.n))
		}
		fields := changedFields(t.Table, markdownText)
		if t.Unread != "" {
			fields = append(fields, markdownStrong(unreadTable)+": "+markdownText(t.Unread))
		}
		fmt.Fprintf(p.w, " %s |\n", strings.Join(fields, ", "))
	}
}

// advice writes remarks, the error, and the command that continues.
func (p *markdownPrinter) advice(o *Outcome) {
	lines := adviceOf(o, markdownStrong, markdownText)
	if len(lines) > 0 {
		fmt.Fprintf(p.w, "\n- %s\n", strings.Join(lines, "\n- "))
	}
	if o.Confirm != "" {
		fmt.Fprintf(p.w, "\nTo continue:\n\n%s", markdownBlock("sh", o.Confirm))
	}
}

// endChanges writes the changes that are still collected, and ends their list.
func (p *markdownPrinter) endChanges() {
	p.changes.flush()
	if p.changes.printed > 0 {
		fmt.Fprint(p.w, "\n</details>\n")
	}
	if p.changes.omitted > 0 {
		fmt.Fprintf(p.w, "\n%s omitted.\n", term.Plural(p.changes.omitted, "further change is", "further changes are"))
	}
	p.changes.reset()
	fmt.Fprintln(p.w)
}

// block writes some of the rows of changes.
func (p *markdownPrinter) block(rows []item[string]) {
	p.begin()
	if p.changes.printed == len(rows) { // the first ones
		fmt.Fprint(p.w, "\n<details><summary>Changes</summary>\n\n| change | document | details |\n|---|---|---|\n")
	}
	for i := range rows {
		_, _ = p.w.WriteString(rows[i].shown)
	}
}

// End implements [Printer].
func (p *markdownPrinter) End(all *Total) {
	p.changes.mu.Lock()
	defer p.changes.mu.Unlock()
	p.begin()
	if all.Err != nil {
		fmt.Fprintf(p.w, "### ❌ elastic-ingest failed\n\n- %s\n\n", strings.Join(adviceOn(all.Err, markdownStrong, markdownText), "\n- "))
	}
	if all.Err != nil || len(all.Outcomes) != 1 {
		fmt.Fprintf(p.w, "Exit code %d.\n", all.Exit)
	}
	_ = p.w.Flush()
}
