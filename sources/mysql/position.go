package mysql

import (
	"database/sql/driver"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// canCompare reports whether the server can compare with the key of a position: not with an invalid date.
func canCompare(t *table, at *sqlread.Position) bool {
	for i, v := range at.Key {
		b, ok := v.([]byte)
		if ok && t.Columns[t.Key[i]].Type.Kind == source.Date && noDate(string(b)) != "" {
			return false
		}
	}
	return true
}

// rowsAfter is the condition for all rows after a position, "" before the first one.
func rowsAfter(t *table, at *sqlread.Position) (condition string, args []driver.Value) {
	condition = at.Condition(func(i int, operator string) string {
		c := &t.Columns[t.Key[i]]
		args = append(args, at.Key[i])
		return quote.Ident(c.Name) + " " + operator + " " + c.Type.Bind
	})
	return condition, args
}
