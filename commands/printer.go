package commands

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

// printer writes results to stdout in one of the forms of --output. change is called from several
// goroutines while a connector runs, the others between runs.
type printer interface {
	change(report.Change)
	// connector is called when a connector is done.
	connector(*session, *outcome)
	// end is called once, last; err is what ended or prevented the whole command.
	end(s *session, code int, err error)
}

func newPrinter(s *session) printer {
	switch s.o.output {
	case asJSON:
		return &jsonPrinter{w: bufio.NewWriter(s.out)}
	case asNDJSON:
		return &jsonPrinter{w: bufio.NewWriterSize(s.out, 64<<10), changes: true, all: s.o.allDocuments, limit: s.o.limit}
	}
	t := &textPrinter{
		w: bufio.NewWriterSize(s.out, 64<<10), limit: s.o.limit, all: s.o.allDocuments, changes: s.o.dry,
		palette: s.app.Streams.Palette(s.app.Streams.OutTTY, s.o.color), value: longestValue,
	}
	if s.app.Streams.OutTTY {
		t.width = s.app.Streams.OutWidth()
		t.value = min(max(t.width/4, shortestValue), longestValue)
	}
	return t
}

const (
	shortestValue = 12 // columns that every value gets
	longestValue  = 80
	// alignedLines is how many lines wait for each other, so that their columns stand below each other.
	alignedLines = 500
	widestID     = 48 // longer ids stick out
)

// textPrinter writes changes for people, and a line of counts for each connector.
type textPrinter struct {
	changes bool // print changes, not only counts
	all     bool
	limit   int
	width   int // of the terminal; 0 for a file
	value   int // columns of a field's value
	palette term.Palette

	mu      sync.Mutex
	w       *bufio.Writer
	waiting []textLine
	idWidth int
	aligned bool // the width of ids is settled
	printed int
	omitted int64
}

type textLine struct {
	kind              string
	index, id, detail string
}

// driftKind is the kind of a line about the mapping of a field.
const driftKind = "mapping"

// mark is the sign that a line of diff begins with.
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

func (t *textPrinter) change(c report.Change) {
	quiet := c.Kind == plan.Keep.String() || c.Kind == plan.Drop.String()
	if !t.changes || quiet && !t.all {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.limit > 0 && t.printed >= t.limit {
		t.omitted++
		return
	}
	t.printed++
	line := textLine{kind: c.Kind, index: term.Plain(c.Index), id: term.Plain(c.ID), detail: t.detail(c)}
	if t.aligned {
		t.write(line)
		return
	}
	if t.waiting = append(t.waiting, line); len(t.waiting) == alignedLines {
		t.align()
	}
}

// align settles the width of ids and writes the lines that waited for it.
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
	if t.width > 0 {
		text = term.Shorten(text, t.width)
	}
	switch l.kind {
	case plan.Create.String():
		text = term.Paint(t.palette.Green, text)
	case plan.Update.String():
		text = term.Paint(t.palette.Yellow, text)
	case plan.Delete.String(), plan.Withheld.String(), plan.Reject.String(), plan.Duplicate.String():
		text = term.Paint(t.palette.Red, text)
	default:
		text = term.Paint(t.palette.Grey, text)
	}
	_, _ = t.w.WriteString(text + "\n")
}

// detail is what a line says beside the id: what people know the document by, where the id says
// nothing, and what there is to say of the change.
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

// reason is the fields that differ, or the reason where the mark does not say it all.
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

// json is a field's value on a line; a field that is not there is told by words that are no JSON.
func (t *textPrinter) json(raw json.RawMessage) string {
	if raw == nil {
		return "absent"
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) == nil {
		raw = compact.Bytes()
	}
	// Only the begin is shown, so only that is looked at.
	if most := 8 * longestValue; len(raw) > most {
		raw = append(bytes.Clone(bytes.ToValidUTF8(raw[:most], nil)), "…"...)
	}
	return term.Shorten(term.Plain(string(raw)), t.value)
}

// settle writes what is waiting.
func (t *textPrinter) settle() {
	if !t.aligned {
		t.align()
	}
	t.aligned, t.idWidth = false, 0
}

func (t *textPrinter) connector(s *session, o *outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle()
	if t.omitted > 0 {
		fmt.Fprintf(t.w, "… and %s, left out by --limit %d\n", term.Plural(t.omitted, "change", "changes"), t.limit)
	}
	t.printed, t.omitted = 0, 0
	if t.changes {
		for _, d := range o.Result.Drift {
			t.write(textLine{kind: driftKind, index: term.Plain(o.Result.Index), id: term.Plain(d.Field), detail: term.Plain(fmt.Sprintf("mapped as %s, in the source %s: %s", d.Mapped, d.Kind, d.Meaning))})
		}
	}
	if line := s.notIndexedLine(o); line != "" {
		fmt.Fprintln(t.w, line)
	}
	if line := s.countsLine(o); line != "" {
		fmt.Fprintln(t.w, line)
	}
	_ = t.w.Flush() // s.out keeps the error
}

func (t *textPrinter) end(s *session, _ int, _ error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle()
	_, _ = t.w.WriteString(s.table())
	_ = t.w.Flush()
}
