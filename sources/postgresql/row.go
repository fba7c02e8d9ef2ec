package postgresql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const fixed = 3 // the fields that tell database, schema and table

// row turns rows into documents. It is used again for each row, as are the fields that it hands out.
type row struct {
	table   *table
	profile sqlread.Profile
	prefix  string // of every id
	record  *sqlread.Record
	id      []byte
	// told is given what was lost of a column's value; "" for nothing.
	told func(column, reason string)
}

// newRow prepares the documents of a table that is read.
func (p *part) newRow(t *table) *row {
	r, renamed := p.rowOf(t)
	if p.first() {
		sqlread.LogRenamed(p.db.log, p.scope, renamed)
	}
	return r
}

// rowOf prepares the documents of a table. renamed is as in [fieldNames].
func (p *part) rowOf(t *table) (r *row, renamed []sqlread.Renamed) {
	database, schemas, tables := p.db.set.database, []string{p.rel.schema}, []string{p.rel.name}
	if p.rule != nil {
		schemas, tables = p.rule.schemas(), p.rule.names()
	}
	r = &row{table: t, profile: p.db.profile, prefix: idPrefix(p.db.profile, database, schemas, tables)}
	names, renamed := fieldNames(r.profile, p.rel.schema, p.rel.name, t.columns)
	r.told = func(column, reason string) { p.db.mended.Tell(p.db.log, p.scope, column, reason) }
	r.record = sqlread.NewRecord(p.metadata(), names, t.key, r.profile == sqlread.Native)
	return r, renamed
}

// metadata are the fields that tell where a document comes from.
func (p *part) metadata() (fields []document.Field) {
	names := metadataNames(p.db.profile)
	for i, v := range [fixed]string{p.db.set.database, p.rel.schema, p.rel.name} {
		fields = append(fields, document.Field{Name: names[i], Value: document.String(v)})
	}
	if p.rule != nil {
		sqlread.Label(fields, p.rule.schemas(), p.rule.names())
	}
	return fields
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
	doc := document.Document{ID: text[:len(r.id)]}
	text = text[len(r.id):]
	r.record.Begin()
	for i, v := range raw {
		if v == nil {
			r.record.Set(i, document.Null(), "")
			continue
		}
		value, reason := r.table.columns[i].typ.value(text[:len(v)])
		r.record.Set(i, value, reason)
		if reason != "" {
			r.told(r.table.columns[i].name, reason)
		}
		text = text[len(v):]
	}
	doc.Fields = r.record.Fields()
	return doc
}
