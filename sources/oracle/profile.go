package oracle

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// The profiles head and seed87 are the same here, because Elastic's connector for Oracle has not changed.

// metadata are the fields for the origin of a document. Documents of a query have its tables as lists,
// in the given order.
func (d *database) metadata(p *part) []document.Field {
	database := document.String(d.set.database)
	if d.Profile != sqlread.Native {
		return []document.Field{{Name: "Database", Value: database}, {Name: "Table", Value: each(p, func(r *relation) string { return r.Shown })}}
	}
	return []document.Field{
		{Name: "database", Value: database},
		{Name: "schema", Value: each(p, func(r *relation) string { return r.Schema })},
		{Name: "table", Value: each(p, func(r *relation) string { return r.Name })},
	}
}

// sorted are the tables of a part in the order of ids.
func sorted(p *part) []relation {
	tables := slices.Clone(p.Tables())
	slices.SortFunc(tables, func(a, b relation) int { return cmp.Compare(a.Shown, b.Shown) })
	return tables
}

// each is the value of say for the part's table, or the list of values if the part is a query.
func each(p *part, say func(*relation) string) document.Value {
	tables := p.Tables()
	if p.Rule == nil {
		return document.String(say(&tables[0]))
	}
	var texts []string
	for i := range tables {
		texts = append(texts, say(&tables[i]))
	}
	return sqlread.ListOf(texts)
}

// idPrefix is the prefix of all ids of the part.
func (d *database) idPrefix(p *part) string {
	tables := sorted(p)
	if d.Profile != sqlread.Native {
		return d.set.database + "_" + strings.Join(shownOf(tables), "_") + "_"
	}
	var owners, names []string
	for i := range tables {
		owners, names = append(owners, tables[i].Schema), append(names, tables[i].Name)
	}
	return sqlread.NativePrefix("oracle", []string{d.set.database}, owners, names)
}

// inIDs defines how values are written into ids if their type has no form of its own. A value is omitted only if its
// type says so.
var inIDs = sqlread.Values[driver.Value]{Null: sqlread.Null, Append: appendPlain, Zero: func(driver.Value) bool { return false }}

// Documents implements [sqlread.Dialect].
func (d *database) Documents(p *part, t *table) (sqlread.Documents, []sqlread.Renamed) {
	return d.rowOf(p, t)
}

// rowOf prepares the documents of a table. renamed are the columns whose fields differ from the profile's names.
func (d *database) rowOf(p *part, t *table) (r *sqlread.Row, renamed []sqlread.Renamed) {
	profile := max(d.Profile, sqlread.Seed87) // head is the same
	names, renamed := t.FieldNames(profile, d.fieldPrefix(p), "Database", "Table")
	return &sqlread.Row{
		Table: t, Record: sqlread.NewRecord(d.metadata(p), names, t.Key, profile == sqlread.Native),
		ID:   sqlread.ID[driver.Value]{Profile: profile, Prefix: d.idPrefix(p), Values: inIDs},
		Lost: func(column, reason string) { d.Mended.Report(d.Log, p.Name(), column, reason) },
	}, renamed
}

// fieldPrefix is the prefix of column fields.
func (d *database) fieldPrefix(p *part) string {
	var tables []string
	for _, t := range sorted(p) {
		name := t.Name
		if t.Schema != d.set.owner {
			name = t.Schema + "_" + t.Name
		}
		tables = append(tables, name)
	}
	return strings.Join(tables, "_") + "_"
}
