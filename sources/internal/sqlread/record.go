package sqlread

import (
	"cmp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

const (
	// NotesField lists the values that a document could not hold exactly.
	NotesField = "_conversion_notes"
	maxNotes   = 20
)

// Record builds the fields of documents from rows. It is reused for each row, as are the fields that it
// returns.
type Record struct {
	fields []document.Field
	values []document.Field // of the columns: the last of fields, or the members of one of them
	path   string           // the prefix of names if values are members
	key    []document.Field // copies of the key's values, if the key is a separate object
	keyOf  []int            // the values that key copies
	notes  []document.Value
}

// NewRecord prepares documents with the fixed fields, which every document of a table has, and a value for
// each name. If nested, as in the profile native, the values are members of the field row, and those of
// the key, whose places in names are given, also of the field key.
func NewRecord(fixed []document.Field, names []string, key []int, nested bool) *Record {
	r := &Record{}
	for _, name := range names {
		r.values = append(r.values, document.Field{Name: name})
	}
	if !nested {
		r.fields = append(slices.Clone(fixed), r.values...)
		r.values = r.fields[len(fixed):]
		return r
	}
	for _, k := range key {
		if !slices.Contains(r.keyOf, k) {
			r.keyOf = append(r.keyOf, k)
			r.key = append(r.key, document.Field{Name: names[k]})
		}
	}
	r.path = "row."
	r.fields = append(slices.Clone(fixed),
		document.Field{Name: "key", Value: document.Object(r.key)},
		document.Field{Name: "row", Value: document.Object(r.values)})
	return r
}

// Describe describes the fields of the documents. kinds are those of the values; "" is text.
func (r *Record) Describe(kinds []source.FieldKind) (fields []source.DescribedField) {
	add := func(name string, kind source.FieldKind) {
		fields = append(fields, source.DescribedField{Name: name, Kind: cmp.Or(kind, source.Text)})
	}
	fixed := len(r.fields) - len(r.values)
	if r.path != "" {
		fixed = len(r.fields) - len([]string{"key", "row"})
	}
	for _, f := range r.fields[:fixed] {
		add(f.Name, source.Keyword)
	}
	for i, k := range r.keyOf {
		add("key."+r.key[i].Name, kinds[k])
	}
	for i, f := range r.values {
		add(r.path+f.Name, kinds[i])
	}
	add(NotesField, source.Keyword)
	return fields
}

// Begin begins another row; every value must be set.
func (r *Record) Begin() { r.notes = r.notes[:0] }

// Set sets the value of a name. reason says what was lost; "" for nothing.
func (r *Record) Set(i int, v document.Value, reason string) {
	f := &r.values[i]
	f.Value = v
	if reason != "" && len(r.notes) < maxNotes {
		r.notes = append(r.notes, document.String(r.path+f.Name+": "+reason))
	}
}

// Fields are those of the document.
func (r *Record) Fields() []document.Field {
	for i, k := range r.keyOf {
		r.key[i].Value = r.values[k].Value
	}
	if len(r.notes) == 0 {
		return r.fields
	}
	return append(r.fields, document.Field{Name: NotesField, Value: document.List(r.notes)})
}

// ListOf is a list of texts.
func ListOf(texts []string) document.Value {
	var values []document.Value
	for _, t := range texts {
		values = append(values, document.String(t))
	}
	return document.List(values)
}

// Label puts the tables of a rule into the fields of its documents: the tables as a list, and the
// schemas as a list if there are several.
func Label(fields []document.Field, schemas, tables []string) {
	for i := range fields {
		switch strings.ToLower(fields[i].Name) {
		case "table":
			fields[i].Value = ListOf(tables)
		case "schema":
			if len(schemas) > 1 {
				fields[i].Value = ListOf(schemas)
			}
		}
	}
}
