package sqlread

import (
	"cmp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

const (
	// NotesField says what of a row a document does not hold.
	NotesField = "_conversion_notes"
	maxNotes   = 20
)

// Record makes the fields of documents of rows. It is used again for each row, as are the fields that it
// hands out.
type Record struct {
	fields []document.Field
	values []document.Field // those of the columns: the last of fields, or the members of one of them
	path   string           // what stands before the names of values where they are members
	key    []document.Field // copies of the values of the key, where it is an object of its own
	keyOf  []int            // the values that they are copies of
	notes  []document.Value
}

// NewRecord prepares documents that have the fixed fields, which every one of a table has, and a value of
// each name. Nested, as the profile native has it, the values are members of the field row, and those of
// the key, which are places in names, of the field key as well.
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

// Begin begins another row, of which every value is to be set.
func (r *Record) Begin() { r.notes = r.notes[:0] }

// Set sets the value of a name. reason is what was lost of it; "" for nothing.
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

// Label puts the tables of a rule into the fields that every document of it has: the tables as a list, and the
// schemas as one where there are several.
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
