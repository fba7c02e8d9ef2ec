package oracle

import (
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

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte) []byte {
	for i, k := range r.table.key {
		typ, v := &r.table.columns[k].typ, r.values[k]
		switch {
		case r.profile == sqlread.Native:
			id = sqlread.AppendNative(id, i, v == nil, plainText(v))
		case v == nil:
		case typ.zero == nil || !typ.zero(v):
			id = append(typ.appendKey(id, v), '_')
		}
	}
	if r.profile == sqlread.Native {
		return sqlread.Shorten(id)
	}
	return id
}

// plainText is a value in an id of the profile native.
func plainText(v any) []byte {
	if v == nil {
		return nil
	}
	return appendPlain(nil, v)
}

// fieldNames names the fields of the columns. renamed are those that the profile would call otherwise.
func (p *part) fieldNames(columns []column) (names []string, renamed []sqlread.Renamed) {
	var tables []string
	for _, t := range p.sorted() {
		name := t.name
		if t.owner != p.db.set.owner {
			name = t.owner + "_" + t.name
		}
		tables = append(tables, name)
	}
	prefix := strings.Join(tables, "_") + "_"
	for i, c := range columns {
		if p.db.profile == sqlread.Native {
			names = append(names, sqlread.MemberName(c.name, i+1))
		} else {
			names = append(names, strings.ToLower(prefix+c.name))
		}
	}
	own := (&table{columns: columns}).names()
	if p.db.profile == sqlread.Native {
		return names, sqlread.PortableMembers(own, names)
	}
	return names, sqlread.PortableFields(own, names, "Database", "Table", sqlread.NotesField)
}
