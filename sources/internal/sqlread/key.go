package sqlread

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Indexes are those of a table that are unique.
type Indexes []index

type index struct {
	name    string
	primary bool
	useless bool
	columns []string
}

// Add adds the next column of an index, whose columns come one after the other. Useless is one that tells
// no rows apart by its value, such as one that may be NULL; no key has it.
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

// Key is the primary key, or else the first of the indexes with the fewest columns; nil where none tells
// all rows apart.
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

// Place finds a name; one that differs in letter case alone where no other is there. It is -1 for none.
func Place(names []string, name string) int {
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// KeyColumn is a column that the result of a rule's query must have.
type KeyColumn struct {
	Name  string
	Table string // whose key has it; "" where the rule itself names it
}

// PlaceKey finds the columns of the key among those of the result of a rule's query. Each counts once.
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
				Err:  fmt.Errorf("query: its result has no column %q, which the key of %s has", k.Name, k.Table),
				Hint: "add it to the SELECT, or name what tells the rows apart with id_columns: in the rule",
			}
		case !slices.Contains(places, i):
			places = append(places, i)
		}
	}
	return places, nil
}

// Keyed is a table or a view whose key the configuration is asked for.
type Keyed struct {
	Part    string   // in errors
	What    string   // "table", or what else it is
	IsTable bool     // it could have a key of its own
	Entry   string   // how id_columns: names it
	Without string   // the entry of the table list that leaves it out
	Columns []string // all of them
}

// Key finds the columns that id_columns: names for what has no key of its own. Each counts once.
func (k *Keyed) Key(named []string) (places []int, err error) {
	if len(named) == 0 {
		why := "a " + k.What + " has no key, so its rows cannot be told apart"
		if k.IsTable {
			why = "the table has neither a primary key nor a unique index over columns that are NOT NULL, so its rows cannot be told apart"
		}
		return nil, &source.Error{
			Kind: source.ErrConfig, Part: k.Part, Err: fmt.Errorf("%s", why),
			Hint: fmt.Sprintf("in the connector's entry, beside configuration:, name columns that together differ in every row, or leave it out with %s\nid_columns: {%q: [COLUMN]}", k.Without, k.Entry),
		}
	}
	for _, name := range named {
		i := Place(k.Columns, name)
		if i < 0 {
			return nil, &source.Error{
				Kind: source.ErrConfig, Part: k.Part, Err: fmt.Errorf("the %s has no column %q", k.What, name),
				Hint: fmt.Sprintf("correct id_columns: of %s", k.Entry),
			}
		}
		if !slices.Contains(places, i) {
			places = append(places, i)
		}
	}
	return places, nil
}

// KeylessError says that rows of a rule's query had NULL in every column of the key, as outer joins make
// them. All of them would have one id, so they were left out. It is nil where there were none.
func KeylessError(part string, rows int64) error {
	if rows == 0 {
		return nil
	}
	return &source.Error{
		Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("rows with NULL in every column of the key were left out: %d", rows),
		Hint: "name columns that always have a value with id_columns: in the rule, or leave such rows out in the query",
	}
}

// Behind is the condition of all rows that come after one in the order of a key of n columns. compare
// writes a comparison of the key's column i with the value that the row has:
//
//	a >= ? AND (a > ? OR (a = ? AND b > ?))
//
// Of (a, b) > (?, ?), which says the same where it is understood, servers make a scan of the whole index.
func Behind(n int, compare func(i int, operator string) string) string {
	var b strings.Builder
	last := n - 1
	for i := range last {
		b.WriteString(compare(i, ">=") + " AND (" + compare(i, ">") + " OR (" + compare(i, "=") + " AND ")
	}
	b.WriteString(compare(last, ">"))
	b.WriteString(strings.Repeat("))", last))
	return b.String()
}

// NoKeyError says that a table of a rule has no key that could tell the rows of its query apart.
func NoKeyError(part, what, table string) error {
	return &source.Error{
		Kind: source.ErrConfig, Part: part, Err: fmt.Errorf("the %s %s has no key", what, table),
		Hint: "name what tells the rows of the query apart with id_columns: in the rule",
	}
}

// Needed leaves out the columns that no id needs: it returns the places of those that are left, and the key
// and the columns of ids in terms of them.
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

// ErrTableChanged says that a table is no longer what it was when reading it began.
var ErrTableChanged = errors.New("the table was altered meanwhile")
