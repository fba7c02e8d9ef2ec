package sqlread

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Indexes are the unique indexes of a table.
type Indexes []index

type index struct {
	name    string
	primary bool
	useless bool
	columns []string
}

// Add adds the next column of an index, whose columns follow each other. A useless column does not identify
// rows by its value, for example because it may be NULL; no key contains it.
func (x *Indexes) Add(name string, primary bool, column string, useless bool) {
	all := *x
	if len(all) == 0 || all[len(all)-1].name != name {
		all = append(all, index{name: name, primary: primary})
	}
	i := &all[len(all)-1]
	i.columns = append(i.columns, column)
	i.useless = i.useless || useless
	*x = all
}

// Key is the primary key, or else the first of the indexes with the fewest columns; nil if none identifies
// all rows.
func (x Indexes) Key() (best []string) {
	for _, i := range x {
		switch {
		case i.useless:
		case i.primary:
			return i.columns
		case best == nil || len(i.columns) < len(best):
			best = i.columns
		}
	}
	return best
}

// Place finds a name; if there is none, one that differs only in case. It is -1 for none.
func Place(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// KeyColumn is a column that the result of a rule's query must have.
type KeyColumn struct {
	Name  string
	Table string // whose key has it; "" if the rule itself names it
}

// PlaceKey finds the columns of the key in the result of a rule's query. Each counts once.
func PlaceKey(part string, columns []string, key []KeyColumn) (places []int, err error) {
	for _, k := range key {
		i := Place(columns, k.Name)
		switch {
		case i < 0 && k.Table == "":
			return nil, &source.Error{
				Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("id_columns: the result of the query has no column %q", k.Name),
				Hint: "it has " + strings.Join(columns, ", "),
			}
		case i < 0:
			return nil, &source.Error{
				Kind: source.ErrConfig, Part: part,
				Err:  fmt.Errorf("query: its result lacks column %q of the key of %s", k.Name, k.Table),
				Hint: "add it to the SELECT, or name the columns that identify a row in the rule's id_columns:",
			}
		case !slices.Contains(places, i):
			places = append(places, i)
		}
	}
	return places, nil
}

// Keyed is a table or a view whose key is taken from the configuration.
type Keyed struct {
	Part    string   // in errors
	What    string   // "table", or what else it is
	IsTable bool     // it could have its own key
	Entry   string   // its name in id_columns:
	Without string   // the entry of the table list that excludes it
	Columns []string // all of them
}

// Key finds the columns that id_columns: names for a table or view without a key. Each counts once.
func (k *Keyed) Key(named []string) (places []int, err error) {
	if len(named) == 0 {
		why := "a " + k.What + " has no key, so its rows cannot be identified"
		if k.IsTable {
			why = "the table has neither a primary key nor a unique index over columns that are NOT NULL, so its rows cannot be identified"
		}
		return nil, &source.Error{
			Kind: source.ErrConfig, Part: k.Part, Err: fmt.Errorf("%s", why),
			Hint: fmt.Sprintf("in the connector's entry, beside configuration:, name columns that together are unique, or exclude it with %s within configuration:\nid_columns: {%q: [COLUMN]}", k.Without, k.Entry),
		}
	}
	for _, name := range named {
		i := Place(k.Columns, name)
		if i < 0 {
			return nil, &source.Error{
				Kind: source.ErrConfig, Part: k.Part, Err: fmt.Errorf("the %s has no column %q", k.What, name),
				Hint: fmt.Sprintf("correct id_columns: for %s", k.Entry),
			}
		}
		if !slices.Contains(places, i) {
			places = append(places, i)
		}
	}
	return places, nil
}

// KeylessError means that rows of a rule's query had NULL in all key columns, as outer joins can
// return. All of them would have the same id, so they were skipped. It is nil if there were none.
func KeylessError(part string, rows int64) error {
	if rows == 0 {
		return nil
	}
	return &source.Error{
		Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("rows with NULL in all key columns were skipped: %d", rows),
		Hint: "name columns without NULL in the rule's id_columns:, or exclude such rows in the query",
	}
}

// After is the condition for all rows after a given one in the order of a key of n columns. compare
// writes a comparison of the key's column i with the value of that row:
//
//	a >= ? AND (a > ? OR (a = ? AND b > ?))
//
// Servers that understand (a, b) > (?, ?) use a full index scan for it.
func After(n int, compare func(i int, operator string) string) string {
	var b strings.Builder
	last := n - 1
	for i := range last {
		b.WriteString(compare(i, ">=") + " AND (" + compare(i, ">") + " OR (" + compare(i, "=") + " AND ")
	}
	b.WriteString(compare(last, ">"))
	b.WriteString(strings.Repeat("))", last))
	return b.String()
}

// NoKeyError means that a table of a rule has no key that could identify the rows of its query.
func NoKeyError(part, what, table string) error {
	return &source.Error{
		Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("the %s %s has no key", what, table),
		Hint: "name the columns that identify a row of the query in the rule's id_columns:",
	}
}

// Needed removes the columns that no id needs: it returns the places of the others, and the key
// and the columns of ids as places among those.
func Needed(key, inID []int) (left, newKey, newInID []int) {
	left = slices.Sorted(slices.Values(slices.Concat(key, inID)))
	left = slices.Compact(left)
	in := func(places []int) (moved []int) {
		for _, p := range places {
			moved = append(moved, slices.Index(left, p))
		}
		return moved
	}
	return left, in(key), in(inID)
}

// ErrTableChanged means that a table was altered since reading it began.
var ErrTableChanged = errors.New("the table was altered in the meantime")
