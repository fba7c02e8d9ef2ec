package mysql

import (
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// row converts rows to documents. It is reused for each row, as are the fields that it returns.
type row struct {
	table  *table
	id     sqlread.ID[*cell]
	record *sqlread.Record
	place  []int   // of each column in the record; -1 if no field has it
	cells  []*cell // of the current row
	// lost receives what was lost of a column's value; "" for nothing.
	lost func(column, reason string)
}

// Documents implements [sqlread.Dialect].
func (d *database) Documents(p *part, t *table) (sqlread.Documents, []sqlread.Renamed) {
	return d.rowOf(p, t)
}

// rowOf prepares the documents of a table. renamed are the columns whose fields differ from the profile's names, or
// that have none.
func (d *database) rowOf(p *part, t *table) (r *row, renamed []sqlread.Renamed) {
	database, tables := d.set.database, []string{p.Rel.Name}
	if p.Rule != nil {
		tables = slices.Sorted(slices.Values(p.Rule.Names()))
	}
	r = &row{table: t, id: sqlread.ID[*cell]{Profile: d.Profile, Prefix: idPrefix(d.Profile, database, tables), Values: inIDs}}
	cells := make([]cell, len(t.Columns))
	for i := range cells {
		r.cells = append(r.cells, &cells[i])
	}
	names := fieldNames(d.Profile, database, p.Rel.Name, t.Columns, d.Compat)
	r.place = make([]int, len(names.of))
	var used []string
	for i, name := range names.of {
		if r.place[i] = -1; name != "" {
			r.place[i] = len(used)
			used = append(used, name)
		}
	}
	var key []int
	for _, k := range t.Key {
		key = append(key, r.place[k])
	}
	r.lost = func(column, reason string) { d.Mended.Report(d.Log, p.Scope(), column, reason) }
	r.record = sqlread.NewRecord(d.metadata(p), used, key, d.Profile == sqlread.Native)
	if lost := lostOf(t, names.of); lost != "" {
		names.renamed = append(names.renamed, sqlread.Renamed{Column: lost})
	}
	return r, names.renamed
}

// metadata are the fields for the origin of a document. Documents of a query have the tables as a
// list, in the given order.
func (d *database) metadata(p *part) (fields []document.Field) {
	table := document.String(p.Rel.Name)
	if p.Rule != nil {
		table = sqlread.ListOf(p.Rule.Names())
	}
	names := metadataNames(d.Profile)
	if len(names) > 1 {
		fields = append(fields, document.Field{Name: names[0], Value: document.String(d.set.database)})
	}
	return append(fields, document.Field{Name: names[len(names)-1], Value: table})
}

// lostOf is a column without a field that does not belong to the key, "" if there is none.
func lostOf(t *table, names []string) string {
	for i, name := range names {
		if name == "" && !slices.Contains(t.Key, i) {
			return t.Columns[i].Name
		}
	}
	return ""
}

// Document converts the values of a row to a document. The id and all texts share one string, the row's
// only allocation unless a type needs more.
func (r *row) Document(raw []driver.Value) document.Document {
	for i, v := range raw {
		*r.cells[i] = cellOf(v)
	}
	id := r.share(r.id.Of(r.table, r.cells), raw)
	r.record.Begin()
	for i := range r.cells {
		switch place := r.place[i]; {
		case place < 0:
		case r.cells[i].null:
			r.record.Set(place, document.Null(), "")
		default:
			v, reason := r.table.Columns[i].Type.Value(r.cells[i])
			r.record.Set(place, v, reason)
			if reason != "" {
				r.lost(r.table.Columns[i].Name, reason)
			}
		}
	}
	return document.Document{ID: id, Fields: r.record.Fields()}
}

// Description describes the documents.
func (r *row) Description() source.Description {
	var kinds []source.FieldKind
	for i, c := range r.table.Columns {
		if r.place[i] >= 0 {
			kinds = append(kinds, c.Type.Kind)
		}
	}
	return r.table.Describe(r.id.Profile, r.id.Prefix, r.record.Describe(kinds))
}

// share copies the bytes of the row, whose memory the driver reuses, and the id into one string. It
// returns the id.
func (r *row) share(id []byte, raw []driver.Value) string {
	size := len(id)
	for _, v := range raw {
		if b, ok := v.([]byte); ok {
			size += len(b)
		}
	}
	var b strings.Builder
	b.Grow(size)
	b.Write(id)
	for _, v := range raw {
		if bytes, ok := v.([]byte); ok {
			b.Write(bytes)
		}
	}
	rest := b.String()
	text, rest := rest[:len(id)], rest[len(id):]
	for i, v := range raw {
		if bytes, ok := v.([]byte); ok {
			r.cells[i].text, rest = rest[:len(bytes)], rest[len(bytes):]
		}
	}
	return text
}
