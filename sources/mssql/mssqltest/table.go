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

// insert adds a row, in the order of the columns. Nil values of computed columns are computed.
func (t *table) insert(row []any) error {
	for i, c := range t.columns {
		switch {
		case c.computed != nil:
			v, err := c.computed(&scope{columns: t.columns, row: row})
			if err != nil {
				return err
			}
			row[i] = v.v
		case c.typ.base == "rowversion":
			t.version++
			row[i] = []byte{0, 0, 0, 0, byte(t.version >> 24), byte(t.version >> 16), byte(t.version >> 8), byte(t.version)}
		}
		if row[i] == nil && !c.nullable {
			return failed(515, 16, "cannot insert the value NULL into column '%s'; column does not allow nulls", c.name)
		}
	}
	t.rows = append(t.rows, row)
	return nil
}

// unique reports whether no two rows have the same value of any key.
func (t *table) unique() error {
	for _, x := range t.indexes {
		if !x.unique || x.filtered {
			continue
		}
		rows, err := t.sorted(x.columns)
		if err != nil {
			return err
		}
		for i := 1; i < len(rows); i++ {
			c, err := t.compareRows(rows[i-1], rows[i], x.columns)
			if err != nil {
				return err
			}
			if c == 0 {
				return failed(2627, 14, "violation of the key '%s': cannot insert duplicate key", strings.Join(x.columns, ", "))
			}
		}
	}
	return nil
}

// sorted are the rows, sorted by columns.
func (t *table) sorted(columns []string) (rows [][]any, err error) {
	rows = slices.Clone(t.rows)
	slices.SortStableFunc(rows, func(a, b []any) int {
		c, failed := t.compareRows(a, b, columns)
		if failed != nil {
			err = failed
		}
		return c
	})
	return rows, err
}

func (t *table) compareRows(a, b []any, columns []string) (int, error) {
	for _, name := range columns {
		i := t.place(name)
		if i < 0 {
			return 0, failed(207, 16, "invalid column name '%s'", name)
		}
		typ := t.columns[i].typ
		if c, err := compareNullable(value{typ, a[i]}, value{typ, b[i]}); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

// compareNullable sorts NULL before all values.
func compareNullable(a, b value) (int, error) {
	switch {
	case a.null() && b.null():
		return 0, nil
	case a.null():
		return -1, nil
	case b.null():
		return 1, nil
	}
	return compare(a, b)
}
