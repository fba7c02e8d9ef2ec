package mssql

import (
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// canCompare reports whether the key of a position can be sent to the server: not if the driver could not decode a
// character of it.
func canCompare(at *sqlread.Position) bool {
	return !slices.ContainsFunc(at.Key, func(v driver.Value) bool {
		text, ok := v.(string)
		return ok && strings.ContainsRune(text, '\ufffd')
	})
}

// rowsAfter is the condition for all rows after a position, "" before the first one. Each column of the key has one
// parameter.
func rowsAfter(t *table, at *sqlread.Position) (condition string, args []driver.Value) {
	condition = at.Condition(func(i int, operator string) string {
		c := &t.Columns[t.Key[i]]
		return quote.Ident(c.Name) + " " + operator + " " + strings.Replace(c.Type.Bind, "@p", "@p"+strconv.Itoa(i+1), 1)
	})
	if condition != "" {
		for i, v := range at.Key {
			args = append(args, t.Columns[t.Key[i]].Type.Given(v))
		}
	}
	return condition, args
}
