package sqlread

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Convert converts a value that is not NULL. reason says what was lost; "" for nothing.
type Convert[V any] func(v V) (value document.Value, reason string)

// KeyText appends the form of a value in an id.
type KeyText[V any] func(dst []byte, v V) []byte

// Type defines how the values of a column are read. V is the type of a dialect's raw values, such as [driver.Value].
type Type[V any] struct {
	Value  Convert[V] // nil: it cannot be read
	Compat Convert[V] // Value in the encoding compat; nil: the same
	Key    KeyText[V] // nil: unchanged
	Plain  KeyText[V] // Key in the profile native; nil: unchanged
	// Zero reports whether the profile seed87 omits a value from ids, such as 0; nil: the dialect decides.
	Zero func(v V) bool
	// From is the selected expression, with % for the column; "" is the column itself. CompatFrom is the
	// same in the encoding compat; "" for no other.
	From, CompatFrom string
	// Bind is a parameter of the type, for comparisons with the column by the server; "" if greater values do not
	// sort later, or equality is unreliable.
	Bind string
	// Argument converts a value of the driver to the argument of the parameter; nil: the value itself.
	Argument func(v driver.Value) driver.Value
	Declared string           // the declared type of the table's, or the result's, column
	Kind     source.FieldKind // "" is text
	// CompatKind is Kind in the encoding compat; "": the same.
	CompatKind source.FieldKind
	// Digits reports that all values of the type in ids consist only of digits and "+-._E".
	Digits bool
	// Unknown is the name of an unknown type, which is read as text or bytes.
	Unknown string
}

// Encoded is the type for one encoding, with its converter, expression and kind.
func (t Type[V]) Encoded(compat bool) Type[V] {
	if !compat {
		return t
	}
	t.Kind, t.From = cmp.Or(t.CompatKind, t.Kind), cmp.Or(t.CompatFrom, t.From)
	if t.From == "%" {
		t.From = ""
	}
	if t.Compat != nil {
		t.Value = t.Compat
	}
	return t
}

// Selected is a column in the list of a SELECT.
func (t *Type[V]) Selected(ident string) string {
	if t.From == "" {
		return ident
	}
	return strings.ReplaceAll(t.From, "%", ident)
}

// Given is the argument of a comparison for a value of the driver.
func (t *Type[V]) Given(v driver.Value) driver.Value {
	if t.Argument == nil {
		return v
	}
	return t.Argument(v)
}

// Column is a column of a table, or of the result of a query.
type Column[V any] struct {
	Name   string
	Number int // in the catalog; 0: its place among the columns, negative: none
	Type   Type[V]
}

// Table defines how a table is read: its columns in their order and which of them identify a row.
type Table[V any] struct {
	Columns []Column[V]
	Key     []int // places in Columns, in the order of the key
	InID    []int // the same in the order of ids; nil: the order of the key
	// Sorted reports whether the rows are read in the order of the key, so that reading can resume after one.
	Sorted bool
	// Nullable reports that all key columns may be NULL in a row that is not skipped.
	Nullable bool
}

// ColumnsOf are the columns of a result, with the types that the driver reports.
func ColumnsOf[V any](r driver.Rows, typ func(i int, name string) Type[V]) (columns []Column[V]) {
	if streamed, ok := r.(*Rows); ok {
		r = streamed.Rows
	}
	typed, _ := r.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range r.Columns() {
		c := Column[V]{Name: name}
		if typed != nil {
			c.Type = typ(i, typed.ColumnTypeDatabaseTypeName(i))
		}
		columns = append(columns, c)
	}
	return columns
}

// Names are the names of the columns.
func (t *Table[V]) Names() (names []string) {
	for i := range t.Columns {
		names = append(names, t.Columns[i].Name)
	}
	return names
}

// Place finds a column, see [Place].
func (t *Table[V]) Place(name string) int { return Place(t.Names(), name) }

// Encode switches all columns to one encoding.
func (t *Table[V]) Encode(compat bool) {
	for i := range t.Columns {
		t.Columns[i].Type = t.Columns[i].Type.Encoded(compat)
	}
}

// SetKey sets the columns of the key by their names. Rows are sorted by it if the server can compare each.
func (t *Table[V]) SetKey(names []string) error {
	t.Sorted = true
	for _, name := range names {
		i := t.Place(name)
		if i < 0 {
			return ErrTableChanged
		}
		t.Key = append(t.Key, i)
		t.Sorted = t.Sorted && t.Columns[i].Type.Bind != ""
	}
	return nil
}

// SetDeclaredKey sets the columns that the configuration names for a table without a key. part is its
// name, list the table list.
func (t *Table[V]) SetDeclaredKey(part string, r *Relation, list *TableList, names []string) (err error) {
	k := Keyed{Part: part, What: r.Kind, IsTable: r.IsTable(), Entry: r.Shown, Without: list.Without(r.Entry), Columns: t.Names()}
	t.Nullable = true
	t.Key, err = k.Key(names)
	return err
}

// Reduced removes the columns that no id needs. A table without a key stays unchanged.
func (t *Table[V]) Reduced() *Table[V] {
	if len(t.Key) == 0 {
		return t
	}
	small := &Table[V]{Sorted: t.Sorted, Nullable: t.Nullable}
	var left []int
	left, small.Key, small.InID = Needed(t.Key, t.InID)
	for _, i := range left {
		small.Columns = append(small.Columns, t.Columns[i])
	}
	return small
}

// Like reports whether the columns and the key are the same.
func (t *Table[V]) Like(o *Table[V]) bool {
	same := func(a, b Column[V]) bool { return a.Name == b.Name && a.Type.Declared == b.Type.Declared }
	return slices.EqualFunc(t.Columns, o.Columns, same) && slices.Equal(t.Key, o.Key) && t.Sorted == o.Sorted
}

// Keyless reports whether a row has NULL in all key columns, as outer joins can return. All of
// them would have the same id.
func (t *Table[V]) Keyless(row []driver.Value) bool {
	return !slices.ContainsFunc(t.Key, func(k int) bool { return row[k] != nil })
}

// List is the columns in the list of a SELECT. They are named, so that none comes twice or in another order. None has
// an alias: ORDER BY would refer to it instead of the column.
func (t *Table[V]) List(q Quote) string {
	var b strings.Builder
	for i := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.Columns[i].Type.Selected(q.Ident(t.Columns[i].Name)))
	}
	return b.String()
}

// Select reads the rows, in the order of the key if the table is sorted. from follows FROM; empty
// conditions are ignored.
func (t *Table[V]) Select(q Quote, from string, conditions ...string) string {
	var b strings.Builder
	b.WriteString("SELECT " + t.List(q) + " FROM " + from)
	joint := " WHERE "
	for _, condition := range conditions {
		if condition != "" {
			b.WriteString(joint + condition)
			joint = " AND "
		}
	}
	if !t.Sorted {
		return b.String()
	}
	joint = " ORDER BY "
	for _, k := range t.Key {
		b.WriteString(joint + q.Ident(t.Columns[k].Name))
		joint = ", "
	}
	return b.String()
}
