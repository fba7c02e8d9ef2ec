package postgresql

import (
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// metadataNames are those of the fields that tell database, schema and table.
func metadataNames(p sqlread.Profile) [fixed]string {
	if p == sqlread.Seed87 {
		return [fixed]string{"Database", "schema", "Table"}
	}
	return [fixed]string{"database", "schema", "table"}
}

// idPrefix is what the ids of all documents of a table begin with, or of a query over several.
func idPrefix(p sqlread.Profile, database string, schemas, tables []string) string {
	if p == sqlread.Native {
		return sqlread.NativePrefix("postgresql", []string{database}, schemas, tables)
	}
	prefix := database + "_" + strings.Join(schemas, "_") + "_" + strings.Join(tables, "_")
	if p == sqlread.Seed87 {
		prefix += "_"
	}
	return prefix
}

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte, raw [][]byte) []byte {
	for i, k := range r.table.key {
		typ := &r.table.columns[k].typ
		switch {
		case r.profile == sqlread.Native:
			id = sqlread.AppendNative(id, i, raw[k] == nil, raw[k])
		case raw[k] == nil:
		case r.profile == sqlread.Head:
			id = typ.appendKey(append(id, '_'), raw[k])
		case !typ.isZero(raw[k]):
			id = append(typ.appendKey(id, raw[k]), '_')
		}
	}
	if r.profile == sqlread.Native {
		return sqlread.Shorten(id)
	}
	return id
}

// fieldNames names the fields of the columns. renamed are those that the profile would call otherwise.
func fieldNames(p sqlread.Profile, schema, name string, columns []column) (names []string, renamed []sqlread.Renamed) {
	for _, c := range columns {
		if p == sqlread.Native {
			names = append(names, sqlread.MemberName(c.name, int(c.number)))
		} else {
			names = append(names, strings.ToLower(schema+"_"+name+"_"+c.name))
		}
	}
	own := (&table{columns: columns}).names()
	if p == sqlread.Native {
		return names, sqlread.PortableMembers(own, names)
	}
	metadata := metadataNames(p)
	return names, sqlread.PortableFields(own, names, append(metadata[:], sqlread.NotesField)...)
}
