package mssqltest

import (
	"slices"
	"strings"
)

// object is a table or a view. It is immutable: a change replaces it with a new one, so a snapshot is only the
// objects of its moment.
type object struct {
	id      int64
	name    objectName
	view    *selection // nil for a table
	altered int64      // the number of its last structural change
	*table
}

// table is columns, keys and rows.
type table struct {
	columns []column
	indexes []index
	rows    [][]any
	version int64 // the last rowversion that it assigned
}

type column struct {
	name     string
	typ      typ
	nullable bool
	hidden   bool
	masked   bool
	computed expr // nil if the column is stored
}

type index struct {
	name            string
	primary, unique bool
	filtered        bool
	columns         []string
}

// place finds the position of a column; -1 if there is none.
func (t *table) place(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
}

// copied is a copy of the table that can be changed, with the same rows.
func (t *table) copied() *table {
	c := *t
	c.columns, c.indexes, c.rows = slices.Clone(t.columns), slices.Clone(t.indexes), slices.Clone(t.rows)
	return &c
}

// insert adds a row, in the order of the columns. Values of computed columns are computed.
func (t *table) insert(row []any) {
	for i, c := range t.columns {
		switch {
		case c.computed != nil:
			row[i] = c.computed(&scope{columns: t.columns, row: row}).v
		case c.typ.base == "rowversion":
			t.version++
			row[i] = []byte{0, 0, 0, 0, byte(t.version >> 24), byte(t.version >> 16), byte(t.version >> 8), byte(t.version)}
		}
	}
	t.rows = append(t.rows, row)
}
