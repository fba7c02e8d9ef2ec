package output

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// A summary shows at most this many tables, and this many fields of each.
const (
	shownTables = 20
	shownFields = 10
)

// A change shows at most this many fields.
const belowFields = 20

// unreadTable is the note on a table of which rows may be missing.
const unreadTable = "not read completely"

// row is a table in a summary, or the sum of the tables that it does not show.
type row struct {
	*Table
	others string // of a sum: how many tables it has
}

// rows are the rows of a summary: the tables with the most changes, then the sum of the others.
func rows(y *Tally) []row {
	tables, rest := y.Changed()
	var out []row
	for _, t := range tables[:min(len(tables), shownTables)] {
		out = append(out, row{Table: t})
	}
	if sum, text := others(tables, rest); sum != nil {
		out = append(out, row{sum, text})
	}
	return out
}

// title is the first cell of a row. The name of a table passes name, so that it fits the format.
func (r row) title(name func(string) string) string {
	if r.others != "" {
		return r.others
	}
	return name(tableName(r.Name))
}

// cell is a number in a row, with the name of its column.
type cell struct {
	column string
	n      int64
}

func (r row) cells() []cell {
	return []cell{
		{"create", r.Created},
		{"update", r.Updated},
		{"delete", r.Deleted},
		{"held back", r.Withheld},
		{"not done", r.Rejected + r.Duplicates + r.ContentErrors},
	}
}

// summary lists the tables with changes, one a line. Names pass escape, so that they fit the format.
func summary(y *Tally, escape func(string) string) (lines []string) {
	for _, r := range rows(y) {
		lines = append(lines, r.title(escape)+": "+describe(r.Table, escape))
	}
	return lines
}

// sentence is the result of a connector in a sentence. Texts pass text; names, which are set as code, pass name.
func sentence(o *Outcome, dry bool, text, name func(string) string) string {
	return fmt.Sprintf("%s into index %s at %s: %s (read %s in %s). Exit code %d.", text(o.Type), name(o.Result.Index), name(o.Destination),
		countsOf(o, dry), term.Number(o.Result.Counts.Read), term.Took(o.Took), o.Exit)
}

// shownChanges are the fields of a change that a format shows one below the other, and what it says about the others, ""
// if there are none.
func shownChanges(c *report.Change) (fields []report.Field, more string) {
	n := min(len(c.Fields), belowFields)
	if n < len(c.Fields) {
		more = "and " + moreFields(len(c.Fields)-n, false)
	}
	return c.Fields[:n], more
}

// others sums the tables that a summary does not show, nil if there are none, and says how many there are. Their
// number is unknown once a tally is full.
func others(tables []*Table, rest *Table) (sum *Table, text string) {
	hidden := tables[min(len(tables), shownTables):]
	if len(hidden) == 0 && rest == nil {
		return nil, ""
	}
	sum = &Table{HeldBack: map[plan.Reason]int64{}}
	for _, t := range hidden {
		sum.add(t)
	}
	if rest == nil {
		return sum, fmt.Sprintf("and %s more", term.Number(int64(len(hidden))))
	}
	sum.add(rest)
	return sum, fmt.Sprintf("and more than %s others", term.Number(int64(len(hidden))))
}

// newIndex is what an index looks like that does not exist yet, "" if it exists.
func newIndex(o *Outcome) string {
	n := o.Result.Creates
	if n == nil {
		return ""
	}
	fields := term.Plural(n.Fields, "mapped field", "mapped fields")
	if n.Open {
		fields += ", more as documents bring them"
	}
	language := "no language"
	if o.Language != "" {
		language = "language " + o.Language
	}
	return fmt.Sprintf("%s does not exist; sync creates it: %s; %s; owner %s", o.Result.Index, fields, language, n.Owner)
}

// add adds the counts of another table, but not its fields.
func (t *Table) add(o *Table) {
	t.Created += o.Created
	t.Updated += o.Updated
	t.Deleted += o.Deleted
	t.Withheld += o.Withheld
	for reason, n := range o.HeldBack {
		t.HeldBack[reason] += n
	}
	t.Rejected += o.Rejected
	t.Duplicates += o.Duplicates
	t.ContentErrors += o.ContentErrors
	if o.Unread != "" {
		t.Unread = "not all of them were read completely"
	}
}

// tableName is the name of a table for people.
func tableName(name string) string { return cmp.Or(name, "(table unknown)") }

// describe is the counts of a table: the updates with the fields in which they differ, then the rest.
func describe(t *Table, escape func(string) string) string {
	var parts []string
	if t.Updated > 0 {
		updates := append([]string{term.Plural(t.Updated, "update", "updates")}, changedFields(t, escape)...)
		parts = append(parts, strings.Join(updates, ", "))
	}
	for _, one := range []struct {
		n         int64
		one, many string
	}{
		{t.Created, "create", "creates"},
		{t.Deleted, "delete", "deletes"},
		{t.Withheld - t.outsidePlan(), "delete held back", "deletes held back"},
		{t.outsidePlan(), "change held back", "changes held back"},
		{t.Rejected, "document rejected", "documents rejected"},
		{t.Duplicates, "duplicate id", "duplicate ids"},
		{t.ContentErrors, "document with unreadable content", "documents with unreadable content"},
	} {
		if one.n > 0 {
			parts = append(parts, term.Plural(one.n, one.one, one.many))
		}
	}
	if t.Unread != "" {
		parts = append(parts, unreadTable)
	}
	return strings.Join(parts, "; ")
}

// outsidePlan is the number of changes that are held back because a saved plan does not contain them.
func (t *Table) outsidePlan() int64 {
	return t.HeldBack[plan.NotInPlan] + t.HeldBack[plan.MovedSincePlan]
}

// changedFields are the fields in which updates of a table differ, with their numbers.
func changedFields(t *Table, escape func(string) string) (fields []string) {
	for _, f := range shownOf(t) {
		fields = append(fields, escape(f.Name)+" in "+term.Number(f.N))
	}
	if n := len(t.Fields) - shownFields; n > 0 || t.MoreFields > 0 {
		fields = append(fields, "and "+moreFields(n, t.MoreFields > 0))
	}
	return fields
}

// adviceOf are the errors of a connector with their hint, and the remarks. strong emphasizes a word.
func adviceOf(o *Outcome, strong, escape func(string) string) (lines []string) {
	for _, f := range o.Failures {
		lines = append(lines, strong("error")+": "+escape(f))
	}
	advice := adviceOn(o.Err, strong, escape)
	if len(lines) > 0 && len(advice) > 0 {
		advice = advice[1:] // the failures explain the error
	}
	lines = append(lines, advice...)
	for _, r := range o.Remarks {
		lines = append(lines, escape(r))
	}
	return lines
}

// adviceOn is an error and its hint; none from nil.
func adviceOn(err error, strong, escape func(string) string) []string {
	if err == nil {
		return nil
	}
	lines := []string{strong("error") + ": " + escape(err.Error())}
	if hint := logs.HintOf(err); hint != "" {
		lines = append(lines, strong("hint")+": "+escape(hint))
	}
	return lines
}

func shownOf(t *Table) []Count {
	fields := t.Changed()
	return fields[:min(len(fields), shownFields)]
}

func moreFields(n int, unbounded bool) string {
	if unbounded {
		return fmt.Sprintf("more than %d other fields", max(n, 0))
	}
	return term.Plural(int64(n), "more field", "more fields")
}
