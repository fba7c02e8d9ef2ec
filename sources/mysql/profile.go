package mysql

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// profile is a way to name documents and their fields.
//
//	head    what Elastic's own connector for MySQL does since its version 8.8
//	seed87  what it did in 8.7: other names of the fields, other ids
//	native  ours: no two rows share an id, and columns keep their names
//
// head and seed87 are there so that an index which that connector filled goes on being the same.
type profile uint8

const (
	head profile = iota
	seed87
	native
)

func profileOf(env source.Env) (profile, error) {
	names := []string{head: "head", seed87: "seed87", native: "native"}
	if env.Profile == "" {
		return head, nil
	}
	i := slices.Index(names, env.Profile)
	if i < 0 {
		return head, sqlread.ConfigError(fmt.Errorf("profile %q is not known", env.Profile), "choose one of "+strings.Join(names, ", "))
	}
	return profile(i), nil
}

// metadata names the fields that tell database and table, or the table alone.
func (p profile) metadata() []string {
	switch p {
	case seed87:
		return []string{"Database", "Table"}
	case native:
		return []string{"database", "table"}
	}
	return []string{"Table"}
}

// idPrefix is what the ids of all documents of a table begin with, or of a query over several.
func (p profile) idPrefix(database string, tables []string) string {
	switch p {
	case seed87:
		return database + "_" + strings.Join(tables, "_") + "_"
	case native:
		b := []byte("mysql:")
		for _, names := range [][]string{{database}, tables} {
			for i, name := range names {
				if i > 0 {
					b = append(b, '+')
				}
				b = append(b, strings.ReplaceAll(string(sqlread.AppendEscaped(nil, []byte(name))), "+", "%2B")...)
			}
			b = append(b, ':')
		}
		return string(b)
	}
	return strings.Join(tables, "_")
}

// orderOfIDs is the order in which an id of a table has the columns of its key. Elastic's connector takes
// them as the server happens to list them: MySQL by name, MariaDB as they stand in the table.
func (p profile) orderOfIDs(t *table, mariaDB bool) []int {
	order := slices.Clone(t.key)
	switch {
	case p == native:
	case mariaDB:
		slices.Sort(order)
	default:
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Compare(strings.ToLower(t.columns[a].name), strings.ToLower(t.columns[b].name))
		})
	}
	return order
}

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte) []byte {
	for i, k := range r.table.inID {
		typ, c := &r.table.columns[k].typ, &r.cells[k]
		switch {
		case r.profile == native:
			id = appendNative(id, i, c)
		case c.null:
		case r.profile == head:
			id = typ.appendKey(append(id, '_'), c)
		case !typ.isZero(c):
			id = append(typ.appendKey(id, c), '_')
		}
	}
	if r.profile == native {
		return sqlread.Shorten(id)
	}
	return id
}

// appendNative appends the value of the key's column i as it is. NULL, which only a configured key can
// hold, is the escape of a byte that no value has.
func appendNative(id []byte, i int, c *cell) []byte {
	if i > 0 {
		id = append(id, ':')
	}
	if c.null {
		return append(id, "%00"...)
	}
	return sqlread.AppendEscaped(id, c.append(nil))
}

// fieldNames are the names of the fields of columns.
type fieldNames struct {
	of      []string // each column's; "" where it has none
	renamed string   // one that is not what the profile would call it; "" when there is none
}

// fieldNames names the fields of the columns. In the profile head they stand beside fields that every
// document has: there a column of such a name gets another, or in the encoding compat none, as in
// Elastic's connector. The engine does the same for the names that it and Elasticsearch reserve.
func (p profile) fieldNames(database, table string, columns []column, compat bool) (names fieldNames) {
	var used []string
	for i, c := range columns {
		name := c.name
		switch {
		case p == native:
			name = sqlread.MemberName(c.name, i+1)
		case p == seed87:
			name = database + "_" + table + "_" + c.name
		case compat && slices.Contains([]string{"id", "_id", "_timestamp", "Table"}, c.name):
			names.of = append(names.of, "")
			continue
		case strings.TrimSpace(c.name) == "": // of a query; Elasticsearch refuses it
			name = sqlread.MemberName(c.name, i+1)
		case c.name == "Table", c.name == "Database", c.name == notesField: // the second is of the profile seed87
			for has := true; has; has = slices.ContainsFunc(columns, func(o column) bool { return o.name == name }) {
				name += "_"
			}
			names.renamed = name
		}
		names.of = append(names.of, name)
		used = append(used, name)
	}
	if again := sqlread.Number(used); again != "" {
		names.renamed = again
	}
	for i, next := 0, 0; i < len(names.of); i++ {
		if names.of[i] != "" {
			names.of[i] = used[next]
			next++
		}
	}
	return names
}
