package mssql

import (
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// position is how far a table was read, so that reading can go on behind it on another connection: the
// key of the last row, as rows come in the order of the key. The server compares it, never this program:
// only the server knows the order of a text.
type position struct {
	key    []driver.Value // nil before the first row
	losses int            // of connections, since the last row
}

// start is the position before the first row, nil where it is not possible to go on after a loss.
func (t *table) start() *position {
	if !t.sorted {
		return nil
	}
	return &position{}
}

// advance takes the next row. The driver does not use its values again.
func (a *position) advance(t *table, row []driver.Value) {
	if a.key == nil {
		a.key = make([]driver.Value, len(t.key))
	}
	a.losses = 0
	for i, k := range t.key {
		a.key[i] = row[k]
	}
}

// comparable reports whether the server can be given the key: not where the driver could not read a
// character of it.
func (a *position) comparable() bool {
	return !slices.ContainsFunc(a.key, func(v driver.Value) bool {
		text, ok := v.(string)
		return ok && strings.ContainsRune(text, '\ufffd')
	})
}

// condition is that of all rows behind the position, "" before the first one.
func (a *position) condition(t *table) (condition string, args []driver.Value) {
	if a == nil || a.key == nil {
		return "", nil
	}
	for i, v := range a.key {
		args = append(args, t.columns[t.key[i]].typ.parameter(v))
	}
	return sqlread.Behind(len(a.key), func(i int, operator string) string {
		return t.columns[t.key[i]].compared(operator, i+1)
	}), args
}
