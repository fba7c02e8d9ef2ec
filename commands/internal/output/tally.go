package output

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// A tally keeps this many tables apart, and this many fields of each, so that its memory is bounded: a tree may
// have millions of folders, and a document any field. Counts beyond that go to one row, so that sums stay true.
const (
	mostTables = 500
	mostFields = 50
)

// Tally counts the changes of one connector by table, folder or other scope, and by field. Its zero value is
// ready; it is used by several goroutines while a connector runs, and read after that.
type Tally struct {
	Root string // the name of the scope "", the root of a tree; "" where there is none

	mu     sync.Mutex
	tables map[string]*Table
	idle   []string // tables without a change, which make room for others
	rest   Table
}

// Table holds the counts of one table, folder or other scope.
type Table struct {
	Name                        string // "" for documents whose table is unknown
	Read                        int64  // documents, in parts that were read to their end
	Created, Updated, Deleted   int64
	Withheld, Rejected, Dropped int64
	Duplicates, ContentErrors   int64
	HeldBack                    map[plan.Reason]int64 // Withheld by reason
	Fields                      map[string]int64      // updated documents by changed field
	MoreFields                  int64                 // occurrences of further fields
	Unread                      string                // why it was not read completely, "" if it was
}

// Changes is the number of documents that a run writes or deletes, or was expected to.
func (t *Table) Changes() int64 {
	return t.Created + t.Updated + t.Deleted + t.Withheld + t.Rejected + t.Duplicates
}

// silent reports that there is nothing to say about a table.
func (t *Table) silent() bool { return t.Changes()+t.ContentErrors == 0 && t.Unread == "" }

// Change counts a change. Unchanged documents are not counted: there may be many.
func (y *Tally) Change(c *report.Change) {
	if c.Kind == plan.Keep.String() {
		return
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	t := y.of(y.scopeOf(c), c.Kind != plan.Drop.String())
	switch c.Kind {
	case plan.Create.String():
		t.Created++
	case plan.Update.String():
		t.Updated++
		t.addFields(c.Fields)
	case plan.Delete.String():
		t.Deleted++
	case plan.Withheld.String():
		t.Withheld++
		if t.HeldBack == nil {
			t.HeldBack = map[plan.Reason]int64{}
		}
		t.HeldBack[plan.Reason(c.Reason)]++
	case plan.Reject.String():
		t.Rejected++
	case plan.Duplicate.String():
		t.Duplicates++
	case plan.Drop.String():
		t.Dropped++
	}
}

// scopeOf is the name of the table of a change, "" if it is unknown.
func (y *Tally) scopeOf(c *report.Change) string {
	if c.Reason == string(plan.ScopeUnknown) {
		return ""
	}
	return cmp.Or(c.Scope, y.Root)
}

func (t *Table) addFields(fields []report.Field) {
	for _, f := range fields {
		switch _, known := t.Fields[f.Name]; {
		case known, len(t.Fields) < mostFields:
			if t.Fields == nil {
				t.Fields = map[string]int64{}
			}
			t.Fields[f.Name]++
		default:
			t.MoreFields++
		}
	}
}

// Read counts a part that was read to its end.
func (y *Tally) Read(p report.PartRead) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.of(cmp.Or(p.Scope, y.Root), false).Read += p.Docs
}

// Unread records why a table was not read completely; the first reason stays.
func (y *Tally) Unread(scope, why string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	t := y.of(cmp.Or(scope, y.Root), true)
	t.Unread = cmp.Or(t.Unread, why)
}

// ContentError counts a document whose content could not be read.
func (y *Tally) ContentError(scope string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.of(cmp.Or(scope, y.Root), true).ContentErrors++
}

// of is the row of a table. One with something to report replaces one without, if there is no room.
func (y *Tally) of(name string, reports bool) *Table {
	if t, ok := y.tables[name]; ok {
		return t
	}
	if len(y.tables) >= mostTables && reports {
		y.makeRoom()
	}
	if len(y.tables) >= mostTables {
		return &y.rest
	}
	if y.tables == nil {
		y.tables = map[string]*Table{}
	}
	t := &Table{Name: strings.Clone(name)}
	y.tables[t.Name] = t
	if !reports {
		y.idle = append(y.idle, t.Name)
	}
	return t
}

// makeRoom moves a table that still has nothing to report to the rest, if there is one.
func (y *Tally) makeRoom() {
	for len(y.idle) > 0 {
		name := y.idle[len(y.idle)-1]
		y.idle = y.idle[:len(y.idle)-1]
		if t := y.tables[name]; t.silent() {
			y.rest.Read += t.Read
			y.rest.Dropped += t.Dropped
			delete(y.tables, name)
			return
		}
	}
}

// Tables lists the tables by their names, and the sums of those beyond the limit, nil if there are none.
func (y *Tally) Tables() (tables []*Table, rest *Table) {
	if y == nil {
		return nil, nil
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(y.tables)) {
		tables = append(tables, y.tables[name])
	}
	if y.rest.Read+y.rest.Dropped > 0 || !y.rest.silent() {
		rest = &y.rest
	}
	return tables, rest
}

// nameOf is the name of a scope for people.
func (y *Tally) nameOf(scope string) string {
	if y == nil {
		return tableName(scope)
	}
	return tableName(cmp.Or(scope, y.Root))
}

// Changed lists the tables with something to report, those with the most changes first, and the rest.
func (y *Tally) Changed() (tables []*Table, rest *Table) {
	tables, rest = y.Tables()
	tables = slices.DeleteFunc(tables, (*Table).silent)
	slices.SortStableFunc(tables, func(a, b *Table) int { return cmp.Compare(b.Changes(), a.Changes()) })
	if rest != nil && rest.silent() {
		rest = nil
	}
	return tables, rest
}

// HeldBack lists the tables with deletes that are held back for a reason, the most first.
func (y *Tally) HeldBack(reason plan.Reason) []Count {
	tables, _ := y.Tables()
	var out []Count
	for _, t := range tables {
		if n := t.HeldBack[reason]; n > 0 {
			out = append(out, Count{t.Name, n})
		}
	}
	slices.SortStableFunc(out, func(a, b Count) int { return cmp.Compare(b.N, a.N) })
	return out
}

// Count is a number of documents with a name.
type Count struct {
	Name string
	N    int64
}

// Changed lists the fields in which updates differ, the most frequent first.
func (t *Table) Changed() []Count {
	var out []Count
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		out = append(out, Count{name, t.Fields[name]})
	}
	slices.SortStableFunc(out, func(a, b Count) int { return cmp.Compare(b.N, a.N) })
	return out
}
