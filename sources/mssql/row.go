package mssql

import (
	"database/sql/driver"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// row turns rows into documents. It is used again for each row, as are the fields that it hands out.
type row struct {
	table   *table
	profile sqlread.Profile
	prefix  string // of every id
	record  *sqlread.Record
	values  []driver.Value // of the row at hand
	id      []byte
	plain   []byte
}

// newRow prepares the documents of a table that is read.
func (p *part) newRow(t *table) *row {
	r, renamed := p.rowOf(t)
	sqlread.LogRenamed(p.db.log, p.scope, renamed)
	return r
}

// rowOf prepares the documents of a table. renamed is as in [fieldNames].
func (p *part) rowOf(t *table) (r *row, renamed []sqlread.Renamed) {
	schemas, tables := []string{p.rel.schema}, []string{p.rel.name}
	if p.rule != nil {
		schemas, tables = p.rule.schemas(), p.rule.names()
	}
	r = &row{table: t, profile: p.db.profile, prefix: idPrefix(p.db.profile, p.db.set.database, schemas, tables)}
	names, renamed := fieldNames(r.profile, p.rel.schema, p.rel.name, t.columns)
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

// document makes a document of the values of a row.
func (r *row) document(values []driver.Value) document.Document {
	r.values = values
	r.id = r.appendKey(append(r.id[:0], r.prefix...))
	r.record.Begin()
	for i, v := range values {
		if v == nil {
			r.record.Set(i, document.Null(), "")
			continue
		}
		value, reason := r.table.columns[i].typ.value(v)
		r.record.Set(i, value, reason)
	}
	return document.Document{ID: string(r.id), Fields: r.record.Fields()}
}

// keyless reports whether a row has NULL in every column of the key, as outer joins make them. All of
// them would have one id.
func (t *table) keyless(values []driver.Value) bool {
	return !slices.ContainsFunc(t.key, func(k int) bool { return values[k] != nil })
}
