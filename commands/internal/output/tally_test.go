package output

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func changed(kind plan.Kind, scope string, fields ...string) *report.Change {
	c := &report.Change{Kind: kind.String(), Scope: scope, Part: scope + " [1, 2)"}
	for _, f := range fields {
		c.Fields = append(c.Fields, report.Field{Name: f})
	}
	return c
}

func TestTheSummaryNamesTablesAndFields(t *testing.T) {
	t.Parallel()
	y := &Tally{}
	for range 9812 {
		y.Change(changed(plan.Update, "public.products", "price"))
	}
	for range 3 {
		y.Change(changed(plan.Withheld, "public.products"))
		y.Change(changed(plan.Create, "evil\x1b[2J\n::error::"))
	}
	y.Change(changed(plan.Update, "public.products", "stock"))
	y.Change(changed(plan.Delete, ""))
	y.Change(changed(plan.Keep, "same"))
	y.Read(report.PartRead{Scope: "same", Docs: 4})
	y.Unread("public.orders", "no right")
	want := []string{
		"public.products: 9 813 updates, price in 9 812, stock in 1; 3 deletes held back",
		`evil\x1b[2J\n::error::: 3 creates`,
		"(table unknown): 1 delete",
		"public.orders: not read completely",
	}
	if d := cmp.Diff(want, summary(y, term.Plain)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestATallyHasAMaximumSize: whatever the number of tables and fields, counts stay true.
func TestATallyHasAMaximumSize(t *testing.T) {
	t.Parallel()
	y := &Tally{}
	for i := range 3 * mostTables { // unchanged tables make room for changed ones
		y.Read(report.PartRead{Scope: fmt.Sprintf("same%d", i), Docs: 1})
	}
	for i := range 2 * mostTables {
		c := changed(plan.Update, fmt.Sprintf("table%04d", i))
		for f := range 2 * mostFields {
			c.Fields = append(c.Fields, report.Field{Name: fmt.Sprintf("field%d", f)})
		}
		y.Change(c)
	}
	tables, rest := y.Tables()
	if len(tables) != mostTables || rest == nil {
		t.Fatalf("%d tables, the rest %v", len(tables), rest)
	}
	read, updated := rest.Read, rest.Updated
	for _, table := range tables {
		read, updated = read+table.Read, updated+table.Updated
		if len(table.Fields) != mostFields || table.MoreFields != mostFields {
			t.Fatalf("%d fields and %d more", len(table.Fields), table.MoreFields)
		}
	}
	if read != 3*mostTables || updated != 2*mostTables {
		t.Errorf("%d read, %d updated", read, updated)
	}
	lines := summary(y, term.Plain)
	last := lines[len(lines)-1]
	if len(lines) != shownTables+1 || last != "and more than 480 others: 980 updates" || !strings.Contains(lines[0], "field0 in 1") ||
		!strings.HasSuffix(lines[0], ", and more than 40 other fields") {
		t.Errorf("%d lines, %q, %q", len(lines), lines[0], last)
	}
}

func TestTheSummaryCountsTablesItDoesNotShow(t *testing.T) {
	t.Parallel()
	y := &Tally{}
	for i := range shownTables + 2 {
		y.Change(changed(plan.Create, fmt.Sprintf("table%02d", i)))
	}
	y.Change(changed(plan.Update, "table00", strings.Split("a,b,c,d,e,f,g,h,i,j,k", ",")...))
	lines := summary(y, term.Plain)
	if got := lines[len(lines)-1]; got != "and 2 more: 2 creates" || !strings.Contains(lines[0], "j in 1, and 1 more field; 1 create") {
		t.Errorf("got %q, %q", lines[0], got)
	}
}
