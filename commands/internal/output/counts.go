package output

import (
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
)

// countsLine is the last line about a connector: the changes that a diff would make or a sync made.
func (t *textPrinter) countsLine(o *Outcome) string {
	if o.Err != nil && o.Result.Counts.Read == 0 {
		return ""
	}
	if t.o.Dry {
		return term.Plain(o.Result.Index) + ": " + counts(o, true)
	}
	if t.o.Quiet || t.tabled() {
		return ""
	}
	return Summary(o)
}

// Summary is the result of a connector on one line, with its source and destination.
func Summary(o *Outcome) string {
	return fmt.Sprintf("%s: %s -> %s at %s: %s", term.Plain(o.Name), term.Plain(o.Type), term.Plain(o.Result.Index), term.Plain(o.Destination), counts(o, false))
}

// counts are the changes of a connector that were made, or in a dry run would be, and what was read.
func counts(o *Outcome, dry bool) string {
	return fmt.Sprintf("%s   (read %s in %s)", countsOf(o, dry), term.Number(o.Result.Counts.Read), term.Took(o.Took))
}

// countsOf is the counts of a run in words.
func countsOf(o *Outcome, dry bool) string {
	c := &o.Result.Counts
	verbs := [3]string{"created", "updated", "deleted"}
	if dry {
		verbs = [3]string{"to create", "to update", "to delete"}
	}
	parts := []string{
		term.Number(c.Created) + " " + verbs[0], term.Number(c.Updated) + " " + verbs[1], term.Number(c.Deleted) + " " + verbs[2],
		term.Number(c.Kept) + " unchanged",
	}
	var gone int64
	if o.Result.SparedGone {
		gone = o.Result.Spared
	}
	for _, extra := range []struct {
		n    int64
		word string
	}{
		{c.Withheld, "held back"},
		{c.Rejected, "rejected"},
		{c.Duplicates, "with a duplicate id"},
		{c.Dropped, "dropped"},
		{c.ContentErrors, "with unreadable content"},
		{gone, "no longer in the source were kept (--no-delete)"},
	} {
		if extra.n > 0 {
			parts = append(parts, term.Number(extra.n)+" "+extra.word)
		}
	}
	return strings.Join(parts, ", ")
}

// mostNotIndexed is the maximum number of fields in one line.
const mostNotIndexed = 10

// notIndexedLine names the fields with values that are only in _source, or is "".
func (t *textPrinter) notIndexedLine(o *Outcome) string {
	if len(o.Result.NotIndexed) == 0 || t.o.Quiet {
		return ""
	}
	var fields []string
	for i, f := range o.Result.NotIndexed {
		if i == mostNotIndexed {
			fields = append(fields, fmt.Sprintf("%s more", term.Plural(int64(len(o.Result.NotIndexed)-i), "field", "fields")))
			break
		}
		fields = append(fields, term.Plain(fmt.Sprintf("%s of %s (%s)", term.Number(f.Documents), f.Field, f.Why)))
	}
	return term.Plain(o.Result.Index) + ": not indexed: " + strings.Join(fields, ", ")
}

// tabled reports whether a table at the end replaces the lines: for several connectors, on a terminal that is
// wide enough.
func (t *textPrinter) tabled() bool {
	return t.o.Several && !t.o.Dry && t.o.Width >= tableWidth
}

// tableWidth is the width of the summary table with names of ordinary length.
const tableWidth = 90

// table is the summary of several connectors, or "".
func (t *textPrinter) table(outcomes []*Outcome) string {
	if !t.tabled() || t.o.Quiet || len(outcomes) == 0 {
		return ""
	}
	rows := [][]string{{"CONNECTOR", "INDEX", "CREATED", "UPDATED", "DELETED", "UNCHANGED", "NOT DONE", "TIME", "EXIT"}}
	for _, o := range outcomes {
		c := &o.Result.Counts
		rows = append(rows, []string{
			term.Plain(o.Name), term.Plain(o.Result.Index), term.Number(c.Created), term.Number(c.Updated), term.Number(c.Deleted), term.Number(c.Kept),
			term.Number(c.Withheld + c.Rejected + c.Duplicates), term.Took(o.Took), term.Number(int64(o.Exit)),
		})
	}
	return term.Table(t.o.Width, rows, 2, 3, 4, 5, 6, 7, 8)
}
