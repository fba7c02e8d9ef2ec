package sqlread

import (
	"cmp"
	"database/sql/driver"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Values defines how a dialect writes values into ids if their type has no form of its own.
type Values[V any] struct {
	Null   func(v V) bool
	Append KeyText[V] // no two values of a column have the same text
	Zero   func(v V) bool
}

// Key appends the form of a value in an id.
func (of *Values[V]) Key(dst []byte, t *Type[V], v V) []byte {
	if t.Key != nil {
		return t.Key(dst, v)
	}
	return of.Append(dst, v)
}

// Plain is like Key for the profile native, where no two values have the same text.
func (of *Values[V]) Plain(dst []byte, t *Type[V], v V) []byte {
	if t.Plain != nil {
		return t.Plain(dst, v)
	}
	return of.Append(dst, v)
}

// IsZero reports whether the profile seed87 omits a value from ids.
func (of *Values[V]) IsZero(t *Type[V], v V) bool {
	if t.Zero != nil {
		return t.Zero(v)
	}
	return of.Zero(v)
}

// ID writes the ids of rows.
type ID[V any] struct {
	Profile Profile
	Prefix  string // of every id
	Values  Values[V]

	id, plain []byte
}

// Of is the id of a row. It is valid until the next call.
func (w *ID[V]) Of(t *Table[V], row []V) []byte {
	w.id = append(w.id[:0], w.Prefix...)
	id, in := w.id, t.InID
	if in == nil {
		in = t.Key
	}
	for i, k := range in {
		typ, v := &t.Columns[k].Type, row[k]
		null := w.Values.Null(v)
		switch {
		case w.Profile == Native:
			w.plain = w.plain[:0]
			if !null {
				w.plain = w.Values.Plain(w.plain, typ, v)
			}
			id = AppendNative(id, i, null, w.plain)
		case null:
		case w.Profile == Head:
			id = w.Values.Key(append(id, '_'), typ, v)
		case !w.Values.IsZero(typ, v):
			id = append(w.Values.Key(id, typ, v), '_')
		}
	}
	if w.Profile == Native {
		id = Shorten(id)
	}
	w.id = id
	return id
}

// Documents makes and describes the documents of a table, such as a [Row].
type Documents interface {
	// Document converts a row to a document, whose fields the next call reuses.
	Document(values []driver.Value) document.Document
	// Description describes the documents.
	Description() source.Description
}

// RowOf prepares the documents of a table, and logs once which columns have fields of other names.
func (p *Part[S, V]) RowOf(t *Table[V]) func(values []driver.Value) document.Document {
	d, renamed := p.db.dialect.Documents(p, t)
	if p.First() {
		LogRenamed(p.db.Log, p.Scope(), renamed)
	}
	return d.Document
}

// Row converts rows of a driver's values to documents. It is reused for each row, as are the fields that it
// returns.
type Row struct {
	Table  *Table[driver.Value]
	ID     ID[driver.Value]
	Record *Record
	// Lost receives what was lost of a column's value; it may be nil.
	Lost func(column, reason string)
}

// Document converts the values of a row to a document. The driver must not reuse them: it allocates new ones for each row.
func (r *Row) Document(values []driver.Value) document.Document {
	id := string(r.ID.Of(r.Table, values))
	r.Record.Begin()
	for i, v := range values {
		if v == nil {
			r.Record.Set(i, document.Null(), "")
			continue
		}
		value, reason := r.Table.Columns[i].Type.Value(v)
		r.Record.Set(i, value, reason)
		if reason != "" && r.Lost != nil {
			r.Lost(r.Table.Columns[i].Name, reason)
		}
	}
	return document.Document{ID: id, Fields: r.Record.Fields()}
}

// Description describes the documents.
func (r *Row) Description() source.Description {
	return r.Table.Describe(r.ID.Profile, r.ID.Prefix, r.Record.Describe(r.Table.Kinds()))
}

// Null reports whether a driver's value is NULL.
func Null(v driver.Value) bool { return v == nil }

// Kinds are the kinds of the columns.
func (t *Table[V]) Kinds() (kinds []source.FieldKind) {
	for i := range t.Columns {
		kinds = append(kinds, t.Columns[i].Type.Kind)
	}
	return kinds
}

// Describe adds the description of the ids, whose prefix is given, to described fields.
func (t *Table[V]) Describe(p Profile, prefix string, fields []source.DescribedField) source.Description {
	ids := IDs{Profile: p, Prefix: prefix, Nullable: t.Nullable}
	for _, k := range t.Key {
		ids.Digits = append(ids.Digits, t.Columns[k].Type.Digits)
	}
	return ids.Describe(fields)
}

// FieldNames names the fields of columns: in the profile native after them, in the others with a prefix and in lower
// case. metadata are the fields that every document has; renamed are fields whose names differ from the profile's.
func (t *Table[V]) FieldNames(p Profile, prefix string, metadata ...string) (names []string, renamed []Renamed) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if p == Native {
			names = append(names, MemberName(c.Name, max(0, cmp.Or(c.Number, i+1))))
		} else {
			names = append(names, strings.ToLower(prefix+c.Name))
		}
	}
	if p == Native {
		return names, PortableMembers(t.Names(), names)
	}
	return names, PortableFields(t.Names(), names, append(metadata, NotesField)...)
}
