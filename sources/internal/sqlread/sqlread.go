// Package sqlread is what the SQL sources share: the table list and advanced rules as they are configured,
// how identifiers, ids and fields are named and described, keys, and how a database is read that has a driver for
// database/sql: [Database] lists its tables and rules as parts, and [Part] streams their rows from sessions with
// snapshots, goes on after a loss, and gives the sessions back.
//
// It knows no database and writes no statement but a SELECT of columns. What differs is data, such as [Quote], or
// what a [Dialect] brings. Its invariant: two different tables, names or keys never become the same text.
package sqlread

import "strings"

// Quote is what a dialect puts around identifiers. What ends one is doubled within it.
type Quote byte

// The quotes of SQL's standard, of MySQL, and of SQL Server, which closes with another than it opens with.
const (
	Double   Quote = '"'
	Backtick Quote = '`'
	Bracket  Quote = '['
)

// end is what closes an identifier.
func (q Quote) end() string {
	if q == Bracket {
		return "]"
	}
	return string(q)
}

// Ident writes an identifier as SQL takes it, whatever is in it.
func (q Quote) Ident(name string) string {
	return string(q) + strings.ReplaceAll(name, q.end(), q.end()+q.end()) + q.end()
}

// Table is the name of a table as SQL takes it.
func (q Quote) Table(schema, table string) string { return q.Ident(schema) + "." + q.Ident(table) }

// Dotted joins identifiers by dots.
func (q Quote) Dotted(parts ...string) string { return q.Joined(".", parts) }

// Joined joins identifiers. One that could be misread, because it has a dot, a plus or a quote in it
// or is empty, is quoted as SQL does, so that different tables never have the same name.
func (q Quote) Joined(by string, parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(by)
		}
		if p == "" || strings.ContainsAny(p, ".+"+string(q)+q.end()) {
			p = q.Ident(p)
		}
		b.WriteString(p)
	}
	return b.String()
}

// Texts reads a text, or a list of nothing else; nil is neither.
func Texts(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, member := range v {
			text, ok := member.(string)
			if !ok {
				return nil
			}
			texts = append(texts, text)
		}
	}
	return texts
}
