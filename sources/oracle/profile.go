package oracle

import (
	"database/sql/driver"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The profiles head and seed87 are the same here: what Elastic's connector for Oracle gives has not changed.

// metadata are the fields that tell where a document comes from. Those of a query have its tables as lists,
// as they are given.
func (p *part) metadata() []document.Field {
	database := document.String(p.db.set.database)
	if p.db.profile != sqlread.Native {
		return []document.Field{{Name: "Database", Value: database}, {Name: "Table", Value: p.each(p.db.shown)}}
	}
	return []document.Field{
		{Name: "database", Value: database},
		{Name: "schema", Value: p.each(func(r *relation) string { return r.owner })},
		{Name: "table", Value: p.each(func(r *relation) string { return r.name })},
	}
}

// each is what is said of the part's table, or the list of it where the part is a query.
func (p *part) each(say func(*relation) string) document.Value {
	tables := p.tables()
	if p.rule == nil {
		return document.String(say(&tables[0]))
	}
	var texts []string
	for i := range tables {
		texts = append(texts, say(&tables[i]))
	}
	return sqlread.ListOf(texts)
}

// idPrefix is what the ids of all documents of the part begin with.
func (p *part) idPrefix() string {
	tables := p.sorted()
	if p.db.profile != sqlread.Native {
		return p.db.set.database + "_" + strings.Join(p.shown(tables), "_") + "_"
	}
	var owners, names []string
	for i := range tables {
		owners, names = append(owners, tables[i].owner), append(names, tables[i].name)
	}
	return sqlread.NativePrefix("oracle", []string{p.db.set.database}, owners, names)
}

// inIDs is how values are written into ids where their type has no form of its own. Only a value of a type that says
// so is left out.
var inIDs = sqlread.Values[driver.Value]{Null: sqlread.Null, Append: appendPlain, Zero: func(driver.Value) bool { return false }}

// newRow prepares the documents of a table that is read.
func (p *part) newRow(t *table) *sqlread.Row {
	r, renamed := p.rowOf(t)
	sqlread.LogRenamed(p.db.log, p.Name(), renamed)
	return r
}

// rowOf prepares the documents of a table. renamed are the columns that the profile would call otherwise.
func (p *part) rowOf(t *table) (r *sqlread.Row, renamed []sqlread.Renamed) {
	profile := max(p.db.profile, sqlread.Seed87) // of which head is the same
	names, renamed := t.FieldNames(profile, p.fieldPrefix(), "Database", "Table")
	return &sqlread.Row{
		Table: t, Record: sqlread.NewRecord(p.metadata(), names, t.Key, profile == sqlread.Native),
		ID:   sqlread.ID[driver.Value]{Profile: profile, Prefix: p.idPrefix(), Values: inIDs},
		Lost: func(column, reason string) { p.db.mended.Tell(p.db.log, p.Name(), column, reason) },
	}, renamed
}

// fieldPrefix is what the fields of columns begin with.
func (p *part) fieldPrefix() string {
	var tables []string
	for _, t := range p.sorted() {
		name := t.name
		if t.owner != p.db.set.owner {
			name = t.owner + "_" + t.name
		}
		tables = append(tables, name)
	}
	return strings.Join(tables, "_") + "_"
}
