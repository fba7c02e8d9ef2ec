package mysql

import (
	"database/sql/driver"

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

// advance takes the next row, whose values may change when it returns.
func (a *position) advance(t *table, row []driver.Value) {
	if a.key == nil {
		a.key = make([]driver.Value, len(t.key))
	}
	a.losses = 0
	for i, k := range t.key {
		if b, ok := row[k].([]byte); ok {
			before, _ := a.key[i].([]byte)
			a.key[i] = append(before[:0], b...)
			continue
		}
		a.key[i] = row[k]
	}
}

// comparable reports whether the server can compare with the key: not with a date that is none.
func (a *position) comparable(t *table) bool {
	for i := range a.key {
		b, ok := a.key[i].([]byte)
		if ok && t.columns[t.key[i]].typ.dated && noDate(string(b)) != "" {
			return false
		}
	}
	return true
}

// condition is that of all rows behind the position, "" before the first one.
func (a *position) condition(t *table) (condition string, args []driver.Value) {
	if a == nil || a.key == nil {
		return "", nil
	}
	return sqlread.Behind(len(a.key), func(i int, operator string) string {
		c := &t.columns[t.key[i]]
		args = append(args, a.key[i])
		return quote.Ident(c.name) + " " + operator + " " + c.typ.bind
	}), args
}
