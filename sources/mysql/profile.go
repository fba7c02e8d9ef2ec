package mysql

import (
	"cmp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// metadataNames are the names of the fields for database and table, or for the table only.
func metadataNames(p sqlread.Profile) []string {
	switch p {
	case sqlread.Seed87:
		return []string{"Database", "Table"}
	case sqlread.Native:
		return []string{"database", "table"}
	}
	return []string{"Table"}
}

// idPrefix is the prefix of all ids of a table, or of a query over several.
func idPrefix(p sqlread.Profile, database string, tables []string) string {
	switch p {
	case sqlread.Seed87:
		return database + "_" + strings.Join(tables, "_") + "_"
	case sqlread.Native:
		return sqlread.NativePrefix("mysql", []string{database}, tables)
	}
	return strings.Join(tables, "_")
}

// orderOfIDs is the order of the key's columns in an id. Elastic's connector uses
// the order in which the server lists them: MySQL by name, MariaDB in table order.
func orderOfIDs(p sqlread.Profile, t *table, mariaDB bool) []int {
	order := slices.Clone(t.Key)
	switch {
	case p == sqlread.Native:
	case mariaDB:
		slices.Sort(order)
	default:
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Compare(strings.ToLower(t.Columns[a].Name), strings.ToLower(t.Columns[b].Name))
		})
	}
	return order
}

// inIDs defines how cells are written into ids if their type has no form of its own.
var inIDs = sqlread.Values[*cell]{
	Null:   func(c *cell) bool { return c.null },
	Append: func(dst []byte, c *cell) []byte { return c.append(dst) },
	Zero:   func(c *cell) bool { return len(c.raw) == 0 && !c.integer && !c.float },
}

// named are the names of column fields.
type named struct {
	of      []string          // of each column; "" if it has none
	renamed []sqlread.Renamed // columns whose fields differ from the profile's names
}

// fieldNames names the fields of the columns. In the profile head they are beside fields that every
// document has: a column with such a name gets another one, or in the encoding compat none, as in
// Elastic's connector. The engine does the same for names that it and Elasticsearch reserve.
func fieldNames(p sqlread.Profile, database, table string, columns []column, compat bool) (names named) {
	var used, own []string
	for i, c := range columns {
		name := c.Name
		switch {
		case p == sqlread.Native:
			name = sqlread.MemberName(c.Name, i+1)
		case p == sqlread.Seed87:
			name = database + "_" + table + "_" + c.Name
		case compat && slices.Contains([]string{"id", "_id", "_timestamp", "Table"}, c.Name):
			names.of = append(names.of, "")
			continue
		case strings.TrimSpace(c.Name) == "": // of a query; Elasticsearch refuses it
			name = sqlread.MemberName(c.Name, i+1)
		case c.Name == "Table", c.Name == "Database", c.Name == sqlread.NotesField: // the second is of the profile seed87
			for has := true; has; has = slices.ContainsFunc(columns, func(o column) bool { return o.Name == name }) {
				name += "_"
			}
			names.renamed = append(names.renamed, sqlread.Renamed{Column: c.Name, Field: name})
		}
		names.of = append(names.of, name)
		used, own = append(used, name), append(own, c.Name)
	}
	if p == sqlread.Native {
		names.renamed = append(names.renamed, sqlread.PortableMembers(own, used)...)
	} else {
		names.renamed = append(names.renamed, sqlread.PortableFields(own, used, append(metadataNames(p), sqlread.NotesField)...)...)
	}
	for i, next := 0, 0; i < len(names.of); i++ {
		if names.of[i] != "" {
			names.of[i] = used[next]
			next++
		}
	}
	return names
}
