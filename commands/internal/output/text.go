package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

const (
	shortestValue = 12 // columns that every value gets
	longestValue  = 80
	// alignedLines is the number of lines that are collected to align their columns.
	alignedLines = 500
	widestID     = 48 // longer ids are not aligned
)

// textPrinter writes for people: changes, and a line of counts for each connector.
type textPrinter struct {
	o     Options
	value int // columns of a field's value

	mu      sync.Mutex
	w       *bufio.Writer
	waiting []textLine
	idWidth int
	aligned bool // the width of ids is fixed
	limited
}

type textLine struct {
	kind              string
	index, id, detail string
}

// driftKind is the kind of a line about the mapping of a field.
const driftKind = "mapping"

// mark is the first character of a line of diff.
func mark(kind string) string {
	switch kind {
	case plan.Create.String():
		return "+"
	case plan.Update.String():
		return "~"
	case plan.Delete.String():
		return "-"
	case plan.Withheld.String():
		return "!"
	case plan.Reject.String():
		return "x"
	case plan.Duplicate.String():
		return "="
	case plan.Drop.String():
		return "/"
	case driftKind:
		return "m"
	}
	return "."
}

// Change implements [Printer].
func (t *textPrinter) Change(c report.Change) {
	quiet := c.Kind == plan.Keep.String() || c.Kind == plan.Drop.String()
	if !t.o.Dry || quiet && !t.o.All {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.takes(t.o.Limit) {
		return
	}
	line := textLine{kind: c.Kind, index: term.Plain(c.Index), id: term.Plain(c.ID), detail: t.detail(c)}
	if t.aligned {
		t.write(line)
		return
	}
	if t.waiting = append(t.waiting, line); len(t.waiting) == alignedLines {
		t.align()
	}
}

// align fixes the width of ids and writes the collected lines.
func (t *textPrinter) align() {
	for _, l := range t.waiting {
		t.idWidth = max(t.idWidth, min(term.Columns(l.id), widestID))
	}
	t.aligned = true
	for _, l := range t.waiting {
		t.write(l)
	}
	t.waiting = nil
}

func (t *textPrinter) write(l textLine) {
	text := mark(l.kind) + " " + l.index + "  " + l.id
	if l.detail != "" {
		text = mark(l.kind) + " " + l.index + "  " + term.Pad(l.id, t.idWidth) + "   " + l.detail
	}
	if t.o.Width > 0 {
		text = term.Shorten(text, t.o.Width)
	}
	switch l.kind {
	case plan.Create.String():
		text = term.Paint(t.o.Palette.Green, text)
	case plan.Update.String():
		text = term.Paint(t.o.Palette.Yellow, text)
	case plan.Delete.String(), plan.Withheld.String(), plan.Reject.String(), plan.Duplicate.String():
		text = term.Paint(t.o.Palette.Red, text)
	default:
		text = term.Paint(t.o.Palette.Grey, text)
	}
	_, _ = t.w.WriteString(text + "\n")
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
			fmt.Fprintf(&b, "%s: %s -> %s", term.Plain(f.Name), t.json(f.Old), t.json(f.New))
		}
		return b.String()
	}
	if c.Kind == plan.Create.String() && c.Reason == string(plan.NotInIndex) {
		return ""
	}
	if c.First != "" {
		return term.Plain(fmt.Sprintf("%s (%s, first in %s)", c.Reason, c.Part, c.First))
	}
	return term.Plain(c.Reason)
}

// json is the value of a field on a line; a missing field is shown in words that are not JSON.
func (t *textPrinter) json(raw json.RawMessage) string {
	if raw == nil {
		return "absent"
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) == nil {
		raw = compact.Bytes()
	}
	// Only the beginning is shown, so only the beginning is checked.
	if most := 8 * longestValue; len(raw) > most {
		raw = append(bytes.Clone(bytes.ToValidUTF8(raw[:most], nil)), "…"...)
	}
	return term.Shorten(term.Plain(string(raw)), t.value)
}

// settle writes the collected lines.
func (t *textPrinter) settle() {
	if !t.aligned {
		t.align()
	}
	t.aligned, t.idWidth = false, 0
}

// Connector implements [Printer].
func (t *textPrinter) Connector(o *Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle()
	if t.omitted > 0 {
		fmt.Fprintf(t.w, "… and %s, omitted by --limit %d\n", term.Plural(t.omitted, "change", "changes"), t.o.Limit)
	}
	t.limited = limited{}
	if t.o.Dry {
		for _, d := range o.Result.Drift {
			t.write(textLine{kind: driftKind, index: term.Plain(o.Result.Index), id: term.Plain(d.Field), detail: term.Plain(fmt.Sprintf("mapped as %s, in the source %s: %s", d.Mapped, d.Kind, d.Meaning))})
		}
	}
	if t.o.Dry {
		for _, line := range summary(o.Tally, term.Plain) {
			fmt.Fprintln(t.w, line)
		}
	}
	if line := t.notIndexedLine(o); line != "" {
		fmt.Fprintln(t.w, line)
	}
	if line := t.countsLine(o); line != "" {
		fmt.Fprintln(t.w, line)
	}
	_ = t.w.Flush() // the writer keeps the error
}

// End implements [Printer].
func (t *textPrinter) End(all *Total) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle()
	_, _ = t.w.WriteString(t.table(all.Outcomes))
	_ = t.w.Flush()
}
