package sqlread

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Convert makes a value of what was sent, which is not NULL. reason is what was lost; "" for nothing.
type Convert[V any] func(v V) (value document.Value, reason string)

// KeyText appends the form that a value has in an id.
type KeyText[V any] func(dst []byte, v V) []byte

// Type is how the values of a column are read. V is what a dialect takes a value for, such as [driver.Value].
type Type[V any] struct {
	Value  Convert[V] // nil: it cannot be read
	Compat Convert[V] // what Value is in the encoding compat; nil: the same
	Key    KeyText[V] // nil: as it is
	Plain  KeyText[V] // what Key is in the profile native; nil: as it is
	// Zero reports whether the profile seed87 leaves a value out of ids, such as 0; nil is up to the dialect.
	Zero func(v V) bool
	// From is the expression that is selected, with % for the column; "" is the column itself. CompatFrom is the
	// same in the encoding compat; "" for no other.
	From, CompatFrom string
	// Bind is a parameter of the type, for the server to compare the column with; "" where what is greater does not
	// come later, or equality is not to be trusted.
	Bind string
	// Argument is what the parameter is given for a value of the driver; nil is the value itself.
	Argument func(v driver.Value) driver.Value
	Declared string           // as the table, or the result of a query, has it
	Kind     source.FieldKind // "" is text
	// CompatKind is what Kind is in the encoding compat; "" is the same.
	CompatKind source.FieldKind
	// Digits reports that ids have every value of the type without other characters than digits and "+-._E".
	Digits bool
	// Unknown is the name of a type that is read as text or bytes for want of a better idea.
	Unknown string
}

// Encoded is the type with the converter of one encoding, as Value, its expression and its kind.
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

// Selected is a column as it stands in the list of a SELECT.
func (t *Type[V]) Selected(ident string) string {
	if t.From == "" {
		return ident
	}
	return strings.ReplaceAll(t.From, "%", ident)
}

// Given is what the parameter of a comparison is given for a value of the driver.
func (t *Type[V]) Given(v driver.Value) driver.Value {
	if t.Argument == nil {
		return v
	}
	return t.Argument(v)
}

// Column is a column of a table, or of the result of a query.
type Column[V any] struct {
	Name   string
	Number int // in the catalogue; 0 is its place among the columns, less is none
	Type   Type[V]
}

// Table is how a table is read: its columns in their order and which of them tell its rows apart.
type Table[V any] struct {
	Columns []Column[V]
	Key     []int // places in Columns, in the order of the key
	InID    []int // the same in the order in which an id has them; nil is that of the key
	// Sorted reports whether the rows are read in the order of the key, so that reading can resume after one.
	Sorted bool
	// Nullable reports that all columns of the key may be NULL in a row that is not left out.
	Nullable bool
}

// ColumnsOf are the columns of a result, whose types the driver names.
func ColumnsOf[V any](r driver.Rows, typ func(i int, name string) Type[V]) (columns []Column[V]) {
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

// Names are those of the columns.
func (t *Table[V]) Names() (names []string) {
	for i := range t.Columns {
		names = append(names, t.Columns[i].Name)
	}
	return names
}

// Place finds a column, see [Place].
func (t *Table[V]) Place(name string) int { return Place(t.Names(), name) }

// Encode takes the form of one encoding for all columns.
func (t *Table[V]) Encode(compat bool) {
	for i := range t.Columns {
		t.Columns[i].Type = t.Columns[i].Type.Encoded(compat)
	}
}

// SetKey takes the columns of the key by their names. Rows come in its order where the server can compare each.
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

// SetDeclaredKey takes the columns that the configuration names for a table which has no key of its own. part is its
// name, list the table list.
func (t *Table[V]) SetDeclaredKey(part string, r *Relation, list *TableList, names []string) (err error) {
	k := Keyed{Part: part, What: r.Kind, IsTable: r.IsTable(), Entry: r.Shown, Without: list.Without(r.Entry), Columns: t.Names()}
	t.Nullable = true
	t.Key, err = k.Key(names)
	return err
}

// Reduced leaves out what no id needs. A table without a key stays as it is.
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

// Keyless reports whether a row has NULL in every column of the key, as outer joins make them. All of
// them would have one id.
func (t *Table[V]) Keyless(row []driver.Value) bool {
	return !slices.ContainsFunc(t.Key, func(k int) bool { return row[k] != nil })
}

// List is the columns as a SELECT has them. It names them, so that none comes twice or in another order, and gives
// none a name of its own: ORDER BY would take it for the column.
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

// Select reads the rows, in the order of the key where the table is sorted. from is what stands after FROM; empty
// conditions count for none.
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
