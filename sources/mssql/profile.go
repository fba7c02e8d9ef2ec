package mssql

import (
	"cmp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const fixed = 3 // the fields that tell database, schema and table

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
		return sqlread.NativePrefix("mssql", []string{database}, schemas, tables)
	}
	prefix := database + "_" + strings.Join(schemas, "_") + "_" + strings.Join(tables, "_")
	if p == sqlread.Seed87 {
		prefix += "_"
	}
	return prefix
}

// orderOfIDs is the order in which an id of a table has the columns of its key: Elastic's connector takes
// them by name.
func orderOfIDs(p sqlread.Profile, t *table) []int {
	order := slices.Clone(t.key)
	if p != sqlread.Native {
		slices.SortStableFunc(order, func(a, b int) int { return compareNames(t.columns[a].name, t.columns[b].name) })
	}
	return order
}

func compareNames(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) }

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte) []byte {
	for i, k := range r.table.inID {
		typ, v := &r.table.columns[k].typ, r.values[k]
		switch {
		case r.profile == sqlread.Native:
			r.plain = typ.appendPlain(r.plain[:0], v)
			id = sqlread.AppendNative(id, i, v == nil, r.plain)
		case v == nil:
		case r.profile == sqlread.Head:
			id = typ.appendKey(append(id, '_'), v)
		case !typ.isZero(v):
			id = append(typ.appendKey(id, v), '_')
		}
	}
	if r.profile == sqlread.Native {
		return sqlread.Shorten(id)
	}
	return id
}

// fieldNames names the fields of the columns. renamed are those that the profile would call otherwise.
func fieldNames(p sqlread.Profile, schema, name string, columns []column) (names []string, renamed []sqlread.Renamed) {
	for i, c := range columns {
		if p == sqlread.Native {
			names = append(names, sqlread.MemberName(c.name, i+1))
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
