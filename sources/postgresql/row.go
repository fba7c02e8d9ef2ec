package postgresql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// row converts rows to documents. It is reused for each row, as are the fields that it returns.
type row struct {
	table   *table
	profile sqlread.Profile
	prefix  string // of every id
	record  *sqlread.Record
	id      []byte
	// lost receives what was lost of a column's value; "" for nothing.
	lost func(column, reason string)
}

// newRow prepares the documents of a table that is read.
func (p *part) newRow(t *table) *row {
	r, renamed := p.rowOf(t)
	if p.first() {
		sqlread.LogRenamed(p.db.Log, p.Rel.Scope, renamed)
	}
	return r
}

// rowOf prepares the documents of a table. renamed are the columns whose fields differ from the profile's names.
func (p *part) rowOf(t *table) (r *row, renamed []sqlread.Renamed) {
	from, profile := p.Origin(p.db.set.database), p.db.Profile
	names, renamed := sqlread.FieldNames(&from, profile, t)
	return &row{
		table: t, profile: profile, prefix: from.Prefix("postgresql", profile),
		record: sqlread.NewRecord(from.Fields(profile), names, t.Key, profile == sqlread.Native),
		lost:   func(column, reason string) { p.db.mended.Report(p.db.Log, p.Rel.Scope, column, reason) },
	}, renamed
}

// document converts the raw texts of a row to a document; nil is NULL. The id and all values share one
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
		value, reason := r.table.Columns[i].Type.Value(text[:len(v)])
		r.record.Set(i, value, reason)
		if reason != "" {
			r.lost(r.table.Columns[i].Name, reason)
		}
		text = text[len(v):]
	}
	doc.Fields = r.record.Fields()
	return doc
}
