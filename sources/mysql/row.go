package mysql

import (
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

const (
	notesField = "_conversion_notes"
	maxNotes   = 20
)

// row turns rows into documents. It is used again for each row, as are the fields that it hands out.
type row struct {
	table   *table
	profile profile
	prefix  string // of every id
	fields  []document.Field
	values  []document.Field // those of the columns: the last of fields, or the members of one of them
	place   []int            // of each column in values; -1 where no field has it
	path    string           // what stands before the names of values where they are members
	key     []document.Field // copies of the values of the key, where it is an object of its own
	keyOf   []int            // the columns that they are copies of
	id      []byte
	cells   []cell
	notes   []document.Value
}

// newRow prepares the documents of a table.
func (p *part) newRow(t *table) *row {
	database, tables := p.db.set.database, []string{p.rel.name}
	if p.rule != nil {
		tables = p.rule.sorted()
	}
	r := &row{table: t, profile: p.db.profile, prefix: p.db.profile.idPrefix(database, tables), cells: make([]cell, len(t.columns))}
	r.fields = p.metadata(database)
	names := r.profile.fieldNames(database, p.rel.name, t.columns, p.db.compat)
	r.place = make([]int, len(names.of))
	for i, name := range names.of {
		if r.place[i] = -1; name != "" {
			r.place[i] = len(r.values)
			r.values = append(r.values, document.Field{Name: name})
		}
	}
	if names.renamed != "" && p.first() {
		p.db.log.Warn("a column's name is that of another field, so it was given another", "part", p.scope, "field", names.renamed)
	}
	if lost := t.lost(names.of); lost != "" && p.first() {
		p.db.log.Warn("a column's name is that of a field of every document, so the column is left out, as the encoding compat has it", "part", p.scope, "column", lost)
	}
	if r.profile == native {
		r.nest()
		return r
	}
	fixed := len(r.fields)
	r.fields = append(r.fields, r.values...)
	r.values = r.fields[fixed:]
	return r
}

// metadata are the fields that tell where a document comes from. Those of a query have the tables as a
// list, as they are given.
func (p *part) metadata(database string) (fields []document.Field) {
	table := document.String(p.rel.name)
	if p.rule != nil {
		table = listOf(p.rule.names())
	}
	names := p.db.profile.metadata()
	if len(names) > 1 {
		fields = append(fields, document.Field{Name: names[0], Value: document.String(database)})
	}
	return append(fields, document.Field{Name: names[len(names)-1], Value: table})
}

// lost is a column that no field has and that is no part of the key, "" when there is none.
func (t *table) lost(names []string) string {
	for i, name := range names {
		if name == "" && !slices.Contains(t.key, i) {
			return t.columns[i].name
		}
	}
	return ""
}

// nest makes objects of the key and of the whole row. They are made once and filled for each row.
func (r *row) nest() {
	for _, k := range r.table.key {
		r.keyOf = append(r.keyOf, k)
		r.key = append(r.key, document.Field{Name: r.values[r.place[k]].Name})
	}
	r.path = "row."
	r.fields = append(r.fields,
		document.Field{Name: "key", Value: document.Object(r.key)},
		document.Field{Name: "row", Value: document.Object(r.values)})
}

// document makes a document of the values of a row. The id and all texts share one string, the row's
// only allocation unless a type needs more.
func (r *row) document(raw []driver.Value) document.Document {
	for i, v := range raw {
		r.cells[i] = cellOf(v)
	}
	r.id = r.appendKey(append(r.id[:0], r.prefix...))
	text := r.share(raw)
	doc := document.Document{ID: text, Fields: r.fields}
	r.notes = r.notes[:0]
	for i := range r.cells {
		if r.place[i] < 0 {
			continue
		}
		f := &r.values[r.place[i]]
		if f.Value = document.Null(); r.cells[i].null {
			continue
		}
		var reason string
		f.Value, reason = r.table.columns[i].typ.value(&r.cells[i])
		if reason != "" && len(r.notes) < maxNotes {
			r.notes = append(r.notes, document.String(r.path+f.Name+": "+reason))
		}
	}
	for i, k := range r.keyOf {
		r.key[i].Value = r.values[r.place[k]].Value
	}
	if len(r.notes) > 0 {
		doc.Fields = append(doc.Fields, document.Field{Name: notesField, Value: document.List(r.notes)})
	}
	return doc
}

// share copies the bytes of the row, which the driver will use again, and the id into one string. It
// returns the id.
func (r *row) share(raw []driver.Value) (id string) {
	size := len(r.id)
	for _, v := range raw {
		if b, ok := v.([]byte); ok {
			size += len(b)
		}
	}
	var b strings.Builder
	b.Grow(size)
	b.Write(r.id)
	for _, v := range raw {
		if bytes, ok := v.([]byte); ok {
			b.Write(bytes)
		}
	}
	rest := b.String()
	id, rest = rest[:len(r.id)], rest[len(r.id):]
	for i, v := range raw {
		if bytes, ok := v.([]byte); ok {
			r.cells[i].text, rest = rest[:len(bytes)], rest[len(bytes):]
		}
	}
	return id
}

// keyless reports whether a row has NULL in every column of the key, as outer joins make them. All of
// them would have one id.
func (t *table) keyless(raw []driver.Value) bool {
	return !slices.ContainsFunc(t.key, func(k int) bool { return raw[k] != nil })
}
