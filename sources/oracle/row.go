package oracle

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
	id      []byte
	values  []driver.Value // of the row that is turned
	// told is given what was lost of a column's value; "" for nothing.
	told func(column, reason string)
}

// newRow prepares the documents of a table that is read.
func (p *part) newRow(t *table) *row {
	r, renamed := p.rowOf(t)
	sqlread.LogRenamed(p.db.log, p.Name(), renamed)
	return r
}

// rowOf prepares the documents of a table. renamed is as in [part.fieldNames].
func (p *part) rowOf(t *table) (r *row, renamed []sqlread.Renamed) {
	names, renamed := p.fieldNames(t.columns)
	native := p.db.profile == sqlread.Native
	return &row{
		table: t, profile: p.db.profile, prefix: p.idPrefix(), record: sqlread.NewRecord(p.metadata(), names, t.key, native),
		told: func(column, reason string) { p.db.mended.Tell(p.db.log, p.Name(), column, reason) },
	}, renamed
}

// document makes a document of the values of a row. They are the driver's no more: it makes new ones for
// each row.
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
		if reason != "" {
			r.told(r.table.columns[i].name, reason)
		}
	}
	return document.Document{ID: string(r.id), Fields: r.record.Fields()}
}

// keyless reports whether a row has NULL in every column of the key, as outer joins make them. All of
// them would have one id.
func (t *table) keyless(values []driver.Value) bool {
	return !slices.ContainsFunc(t.key, func(k int) bool { return values[k] != nil })
}
