package output

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

const (
	shortestValue = 12 // columns that every value gets on a line of its own
	longestValue  = 80
	widestID      = 48 // longer ids are not aligned
	belowIndent   = "      "
)

// textPrinter writes for people: changes, a summary, and a line of counts for each connector.
type textPrinter struct {
	o Options

	lines    ordered[textLine]
	w        *bufio.Writer
	occurred map[string]bool // kinds of changes that were printed
}

type textLine struct {
	kind              string
	index, id, detail string
	below             []string // the detail, for a terminal that is too narrow for one line
}

// driftKind is the kind of a line about the mapping of a field.
const driftKind = "mapping"

// lineKinds are the kinds of lines of a diff: their first character, and what it means.
func lineKinds() [9]struct{ kind, mark, meaning string } {
	return [...]struct{ kind, mark, meaning string }{
		{plan.Create.String(), "+", "create"},
		{plan.Update.String(), "~", "update"},
		{plan.Delete.String(), "-", "delete"},
		{plan.Withheld.String(), "!", "delete held back"},
		{plan.Reject.String(), "x", "cannot be written"},
		{plan.Duplicate.String(), "=", "duplicate id"},
		{plan.Keep.String(), ".", "unchanged"},
		{plan.Drop.String(), "/", "kept out"},
		{driftKind, "m", "mapping differs"},
	}
}

// mark is the first character of a line of diff.
func mark(kind string) string {
	for _, k := range lineKinds() {
		if k.kind == kind {
			return k.mark
		}
	}
	return "."
}

// Change implements [Printer].
func (t *textPrinter) Change(c report.Change) {
	if t.o.Dry && t.o.lists(c.Kind) {
		t.lines.collect(&c, func() (textLine, int) { return t.line(c) })
	}
}

// line is a change for the output, and its size.
func (t *textPrinter) line(c report.Change) (line textLine, size int) {
	line = textLine{kind: c.Kind, index: term.Plain(c.Index), id: term.Plain(c.ID), detail: t.detail(c)}
	if t.o.Width > 0 {
		line.below = t.below(c)
	}
	size = len(line.index) + len(line.id) + len(line.detail)
	for _, l := range line.below {
		size += len(l)
	}
	return line, size
}

// block writes collected lines, with their columns aligned.
func (t *textPrinter) block(lines []item[textLine]) {
	idWidth := 0
	for i := range lines {
		idWidth = max(idWidth, min(term.Columns(lines[i].shown.id), widestID))
	}
	for i := range lines {
		t.write(&lines[i].shown, idWidth)
	}
}

// write writes a change: on one line or, where a terminal is too narrow for that, the details below.
func (t *textPrinter) write(l *textLine, idWidth int) {
	head := mark(l.kind) + " " + l.index + "  "
	text := head + l.id
	if l.detail != "" {
		text = head + term.Pad(l.id, idWidth) + "   " + l.detail
	}
	lines := []string{text}
	if t.o.Width > 0 && term.Columns(text) > t.o.Width {
		lines = append([]string{term.Shorten(head+term.ShortenMiddle(l.id, t.o.Width-term.Columns(head)), t.o.Width)}, l.below...)
	}
	t.occurred[l.kind] = true
	for _, line := range lines {
		_, _ = t.w.WriteString(t.painted(l.kind, line) + "\n")
	}
}

func (t *textPrinter) painted(kind, text string) string {
	switch kind {
	case plan.Create.String():
		return term.Paint(t.o.Palette.Green, text)
	case plan.Update.String():
		return term.Paint(t.o.Palette.Yellow, text)
	case plan.Delete.String(), plan.Withheld.String(), plan.Reject.String(), plan.Duplicate.String():
		return term.Paint(t.o.Palette.Red, text)
	}
	return term.Paint(t.o.Palette.Grey, text)
}

// below is the detail of a change in lines for a terminal: one field a line.
func (t *textPrinter) below(c report.Change) []string {
	if len(c.Fields) == 0 {
		return t.wrapped(belowIndent, t.detail(c))
	}
	lines := t.wrapped(belowIndent, term.Plain(c.Title))
	fields, more := shownChanges(&c)
	for _, f := range fields {
		lines = append(lines, t.fieldLines(f)...)
	}
	if more != "" {
		lines = append(lines, belowIndent+more)
	}
	return lines
}

// fieldLines is a field on one line, or on three if the two values do not fit beside its name.
func (t *textPrinter) fieldLines(f report.Field) []string {
	const arrow = " -> "
	width := t.o.Width - len(belowIndent)
	name := term.ShortenMiddle(term.Plain(f.Name), width/2) + ":"
	room := width - term.Columns(name) - 1 - len(arrow)
	from, to := pair(f.Old, f.New, max(room, shortestValue), max(room, shortestValue))
	a, b := term.Columns(from), term.Columns(to)
	if a+b > room && room >= 2*shortestValue {
		a = max(min(a, room/2), room-b)
		from, to = pair(f.Old, f.New, a, room-a)
		a, b = term.Columns(from), term.Columns(to)
	}
	if a+b <= room {
		return []string{belowIndent + name + " " + from + arrow + to}
	}
	from, to = pair(f.Old, f.New, width-len(arrow), width-len(arrow))
	return []string{belowIndent + name, belowIndent + "    " + from, belowIndent + " -> " + to}
}

// wrapped breaks text into indented lines for the terminal; none from "".
func (t *textPrinter) wrapped(indent, text string) (lines []string) {
	if text == "" {
		return nil
	}
	for _, line := range term.Wrap(text, t.o.Width-len(indent)) {
		lines = append(lines, term.Shorten(indent+line, t.o.Width))
	}
	return lines
}

// detail is the text after the id: a readable name of the document if the id is not readable, and the details
// of the change.
func (t *textPrinter) detail(c report.Change) string {
	reason := t.reason(c)
	switch {
	case c.Title == "":
		return reason
	case reason == "":
		return term.Plain(c.Title)
	}
	return term.Plain(c.Title) + ": " + reason
}

// reason is the changed fields, or the reason if the mark alone does not say it.
func (t *textPrinter) reason(c report.Change) string {
	if len(c.Fields) > 0 {
		var b strings.Builder
		for i, f := range c.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			from, to := pair(f.Old, f.New, longestValue, longestValue)
			fmt.Fprintf(&b, "%s: %s -> %s", term.Plain(f.Name), from, to)
		}
		return b.String()
	}
	return term.Plain(reasonOf(&c))
}

// reasonOf is the reason of a change, if its kind alone does not say it.
func reasonOf(c *report.Change) string {
	if c.Kind == plan.Create.String() && c.Reason == string(plan.NotInIndex) {
		return ""
	}
	if c.Reason == string(plan.EmptyID) {
		return "a document of " + c.Part + " has no id"
	}
	if c.First != "" {
		return fmt.Sprintf("%s (%s, first in %s)", c.Reason, c.Part, c.First)
	}
	return c.Reason
}

// Connector implements [Printer].
func (t *textPrinter) Connector(o *Outcome) {
	t.lines.mu.Lock()
	defer t.lines.mu.Unlock()
	t.lines.flush()
	if t.lines.omitted > 0 {
		fmt.Fprintf(t.w, "… and %s, omitted by --limit %d\n", term.Plural(t.lines.omitted, "change", "changes"), t.o.Limit)
	}
	t.lines.reset()
	if t.o.Dry {
		t.summarize(o)
	}
	t.paragraph(t.notIndexedLine(o))
	t.paragraph(t.countsLine(o))
	_ = t.w.Flush() // the writer keeps the error
}

// summarize writes what follows the changes of a diff: fields whose mapping differs, the index that a sync would
// create, and the changes by table.
func (t *textPrinter) summarize(o *Outcome) {
	for _, d := range o.Result.Drift {
		line := textLine{kind: driftKind, index: term.Plain(o.Result.Index), id: term.Plain(d.Field), detail: term.Plain(fmt.Sprintf("mapped as %s, in the source %s: %s", d.Mapped, d.Kind, d.Meaning))}
		if t.o.Width > 0 {
			line.below = t.wrapped(belowIndent, line.detail)
		}
		t.write(&line, 0)
	}
	lines := summary(o.Tally, term.Plain)
	if text := newIndex(o); text != "" {
		lines = append(lines, term.Plain(text))
	}
	for _, line := range lines {
		t.paragraph(line)
	}
}

// paragraph writes a line, broken into several if it is too long for a terminal; nothing from "". Words are never
// cut: a name or an address may be one.
func (t *textPrinter) paragraph(line string) {
	if line == "" {
		return
	}
	if t.o.Width > 0 && term.Columns(line) > t.o.Width {
		const indent = "    "
		line = strings.Join(term.Wrap(line, t.o.Width-len(indent)), "\n"+indent)
	}
	fmt.Fprintln(t.w, line)
}

// legend explains the characters that occurred, on a terminal.
func (t *textPrinter) legend() {
	if t.o.Width == 0 || t.o.Quiet || len(t.occurred) == 0 {
		return
	}
	line := ""
	for _, k := range lineKinds() {
		if !t.occurred[k.kind] {
			continue
		}
		text := k.mark + " " + k.meaning
		if line != "" && term.Columns(line)+3+term.Columns(text) > t.o.Width {
			fmt.Fprintln(t.w, term.Paint(t.o.Palette.Grey, line))
			line = ""
		}
		if line != "" {
			line += "   "
		}
		line += text
	}
	fmt.Fprintln(t.w, term.Paint(t.o.Palette.Grey, line))
}

// End implements [Printer].
func (t *textPrinter) End(all *Total) {
	t.lines.mu.Lock()
	defer t.lines.mu.Unlock()
	t.lines.flush()
	t.legend()
	_, _ = t.w.WriteString(t.table(all.Outcomes))
	_ = t.w.Flush()
}
