package postgresql

import (
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

const (
	notesField = "_conversion_notes"
	maxNotes   = 20
	fixed      = 3 // the fields that tell database, schema and table
)

// row turns rows into documents. It is used again for each row, as are the fields that it hands out.
type row struct {
	table   *table
	profile profile
	prefix  string // of every id
	fields  []document.Field
	values  []document.Field // those of the columns: the last of fields, or the members of one of them
	path    string           // what stands before the names of values where they are members
	key     []document.Field // copies of the values of the key, where it is an object of its own
	keyOf   []int            // the columns that they are copies of
	id      []byte
	notes   []document.Value
}

// newRow prepares the documents of a table.
func (p *part) newRow(t *table) *row {
	database, schema, name := p.db.set.database, p.rel.schema, p.rel.name
	schemas, tables := []string{schema}, []string{name}
	if p.rule != nil {
		schemas, tables = p.rule.schemas(), p.rule.names()
	}
	r := &row{table: t, profile: p.db.profile, prefix: p.db.profile.idPrefix(database, schemas, tables)}
	metadata := r.profile.metadata()
	for i, v := range [fixed]string{database, schema, name} {
		r.fields = append(r.fields, document.Field{Name: metadata[i], Value: document.String(v)})
	}
	names, renamed := r.profile.fieldNames(schema, name, t.columns)
	for _, name := range names {
		r.values = append(r.values, document.Field{Name: name})
	}
	if renamed != "" && p.first() {
		p.db.log.Warn("several columns would give a field its name, so one was given a number", "part", p.scope, "field", renamed)
	}
	if r.profile == native {
		r.nest(names)
		return r
	}
	r.fields = append(r.fields, r.values...)
	r.values = r.fields[fixed:]
	return r
}

// nest makes objects of the key and of the whole row. They are made once and filled for each row.
func (r *row) nest(names []string) {
	for _, k := range r.table.key {
		if !slices.Contains(r.keyOf, k) {
			r.keyOf = append(r.keyOf, k)
			r.key = append(r.key, document.Field{Name: names[k]})
		}
	}
	r.path = "row."
	r.fields = append(r.fields,
		document.Field{Name: "key", Value: document.Object(r.key)},
		document.Field{Name: "row", Value: document.Object(r.values)})
}

// document makes a document of the raw texts of a row; nil is NULL. The id and all values share one
// string, the row's only allocation unless a type needs more.
func (r *row) document(raw [][]byte) document.Document {
	r.id = r.appendKey(append(r.id[:0], r.prefix...), raw)
	size := len(r.id)
	for _, v := range raw {
		size += len(v)
	}
	var b strings.Builder
	b.Grow(size)
	b.Write(r.id)
	for _, v := range raw {
		b.Write(v)
	}
	text := b.String()
	doc := document.Document{ID: text[:len(r.id)], Fields: r.fields}
	text = text[len(r.id):]
	r.notes = r.notes[:0]
	values := r.values[:len(raw)]
	for i, v := range raw {
		f := &values[i]
		if v == nil {
			f.Value = document.Null()
			continue
		}
		var reason string
		f.Value, reason = r.table.columns[i].typ.value(text[:len(v)])
		text = text[len(v):]
		if reason != "" && len(r.notes) < maxNotes {
			r.notes = append(r.notes, document.String(r.path+f.Name+": "+reason))
		}
	}
	for i, k := range r.keyOf {
		r.key[i].Value = values[k].Value
	}
	if len(r.notes) > 0 {
		doc.Fields = append(doc.Fields, document.Field{Name: notesField, Value: document.List(r.notes)})
	}
	return doc
}
