package postgresql

import (
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// appendKey appends the values of the key to the prefix of an id.
func (r *row) appendKey(id []byte, raw [][]byte) []byte {
	for i, k := range r.table.Key {
		typ := &r.table.Columns[k].Type
		switch {
		case r.profile == sqlread.Native:
			id = sqlread.AppendNative(id, i, raw[k] == nil, raw[k])
		case raw[k] == nil:
		case r.profile == sqlread.Head:
			id = appendKey(append(id, '_'), typ, raw[k])
		case !isZero(typ, raw[k]):
			id = append(appendKey(id, typ, raw[k]), '_')
		}
	}
	if r.profile == sqlread.Native {
		return sqlread.Shorten(id)
	}
	return id
}
