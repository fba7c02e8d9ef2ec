package postgresql

import (
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

const (
	notesField = "_conversion_notes"
	maxNotes   = 20
	fixed      = 3 // the fields before the columns
)

// row turns rows into documents. It is used again for each row, as are the fields that it hands out.
type row struct {
	table  *table
	prefix string // of every id
	fields []document.Field
	id     []byte
	notes  []document.Value
}

// newRow prepares the documents of a table: their names are those that Elastic's own connector for
// PostgreSQL gives, so that an index that it filled goes on being the same.
func (p *part) newRow(t *table) *row {
	s, n := p.rel.schema, p.rel.name
	r := &row{
		table:  t,
		prefix: p.db.set.database + "_" + s + "_" + n,
		fields: []document.Field{
			{Name: "database", Value: document.String(p.db.set.database)},
			{Name: "schema", Value: document.String(s)},
			{Name: "table", Value: document.String(n)},
		},
	}
	names, renamed := fieldNames(s, n, t.columns)
	for _, name := range names {
		r.fields = append(r.fields, document.Field{Name: name})
	}
	if renamed != "" && p.first() {
		p.db.log.Warn("columns have the same name, letter case aside, so a field was given a number", "part", p.scope, "field", renamed)
	}
	return r
}

// fieldNames names the fields of the columns: schema, table and column in lower case. Where two
// columns would have one name, the later one gets a number, which no column's own name takes away.
func fieldNames(schema, table string, columns []column) (names []string, renamed string) {
	own, used := map[string]bool{}, map[string]bool{}
	for _, c := range columns {
		name := strings.ToLower(schema + "_" + table + "_" + c.name)
		names = append(names, name)
		own[name] = true
	}
	for i, name := range names {
		for n := 2; used[names[i]]; n++ {
			if try := name + "_" + strconv.Itoa(n); !own[try] {
				names[i] = try
			}
		}
		used[names[i]] = true
		if names[i] != name {
			renamed = names[i]
		}
	}
	return names, renamed
}

// document makes a document of the raw texts of a row; nil is NULL. The id and all values share one
// string, the row's only allocation unless a type needs more.
func (r *row) document(raw [][]byte) document.Document {
	r.id = append(r.id[:0], r.prefix...)
	for _, k := range r.table.key {
		if raw[k] != nil {
			r.id = append(r.id, '_')
			r.id = r.table.columns[k].typ.appendKey(r.id, raw[k])
		}
	}
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
	doc := document.Document{ID: text[:len(r.id)]}
	text = text[len(r.id):]
	r.notes = r.notes[:0]
	fields := r.fields[:fixed+len(raw)]
	for i, v := range raw {
		f := &fields[fixed+i]
		if v == nil {
			f.Value = document.Null()
			continue
		}
		var reason string
		f.Value, reason = r.table.columns[i].typ.value(text[:len(v)])
		text = text[len(v):]
		if reason != "" && len(r.notes) < maxNotes {
			r.notes = append(r.notes, document.String(f.Name+": "+reason))
		}
	}
	if len(r.notes) > 0 {
		fields = append(fields, document.Field{Name: notesField, Value: document.List(r.notes)})
	}
	doc.Fields = fields
	return doc
}
