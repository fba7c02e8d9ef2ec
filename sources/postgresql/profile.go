package postgresql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// profile is a way to name documents and their fields.
//
//	head    what Elastic's own connector for PostgreSQL does since its version 8.11
//	seed87  what it did in 8.7: other names of the metadata, other ids
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
		return head, configError(fmt.Errorf("profile %q is not known", env.Profile), "choose one of "+strings.Join(names, ", "))
	}
	return profile(i), nil
}

// metadata names the fields that tell database, schema and table.
func (p profile) metadata() [fixed]string {
	if p == seed87 {
		return [fixed]string{"Database", "schema", "Table"}
	}
	return [fixed]string{"database", "schema", "table"}
}

// idPrefix is what the ids of all documents of a table begin with, or of a query over several.
func (p profile) idPrefix(database string, schemas, tables []string) string {
	if p == native {
		b := []byte("postgresql:")
		for _, names := range [][]string{{database}, schemas, tables} {
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
	prefix := database + "_" + strings.Join(schemas, "_") + "_" + strings.Join(tables, "_")
	if p == seed87 {
		prefix += "_"
	}
	return prefix
}

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte, raw [][]byte) []byte {
	for i, k := range r.table.key {
		typ := &r.table.columns[k].typ
		switch {
		case r.profile == native:
			id = appendNative(id, i, raw[k])
		case raw[k] == nil:
		case r.profile == head:
			id = typ.appendKey(append(id, '_'), raw[k])
		case !typ.isZero(raw[k]):
			id = append(typ.appendKey(id, raw[k]), '_')
		}
	}
	if r.profile == native {
		return sqlread.Shorten(id)
	}
	return id
}

// appendNative appends the value of the key's column i as the server writes it. NULL, which only a
// configured key can hold, is the escape of a byte that no value has.
func appendNative(id []byte, i int, raw []byte) []byte {
	if i > 0 {
		id = append(id, ':')
	}
	if raw == nil {
		return append(id, "%00"...)
	}
	return sqlread.AppendEscaped(id, raw)
}

// fieldNames names the fields of the columns. renamed is one of those that several columns had a
// claim to; "" when there was none.
func (p profile) fieldNames(schema, table string, columns []column) (names []string, renamed string) {
	for _, c := range columns {
		if p == native {
			names = append(names, sqlread.MemberName(c.name, int(c.number)))
		} else {
			names = append(names, strings.ToLower(schema+"_"+table+"_"+c.name))
		}
	}
	return names, sqlread.Number(names)
}
