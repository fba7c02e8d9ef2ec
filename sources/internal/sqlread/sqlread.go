// Package sqlread is shared by the SQL sources: it reads the table list and advanced rules of the configuration,
// names and describes identifiers, ids, fields and keys, and reads a database that has a driver for
// database/sql: [Database] lists its tables and rules as parts, and [Part] streams their rows from sessions with
// snapshots, resumes after a loss, and releases the sessions.
//
// It knows no database and writes no statement but a SELECT of columns. The differences are data, such as [Quote], or
// belong to a [Dialect]. Its invariant: two different tables, names or keys never have the same text.
package sqlread

import "strings"

// Quote is a dialect's quote for identifiers. Within an identifier its closing quote is doubled.
type Quote byte

// The quotes of standard SQL, of MySQL, and of SQL Server, whose opening and closing quotes differ.
const (
	Double   Quote = '"'
	Backtick Quote = '`'
	Bracket  Quote = '['
)

// end is the closing quote.
func (q Quote) end() string {
	if q == Bracket {
		return "]"
	}
	return string(q)
}

// plural names the quotes.
func (q Quote) plural() string {
	switch q {
	case Backtick:
		return "backticks"
	case Bracket:
		return "brackets"
	}
	return "double quotes"
}

// Ident writes an identifier in SQL, whatever its characters.
func (q Quote) Ident(name string) string {
	return string(q) + strings.ReplaceAll(name, q.end(), q.end()+q.end()) + q.end()
}

// Table writes the name of a table in SQL.
func (q Quote) Table(schema, table string) string { return q.Ident(schema) + "." + q.Ident(table) }

// Dotted joins identifiers by dots.
func (q Quote) Dotted(parts ...string) string { return q.Joined(".", parts) }

// Joined joins identifiers. An identifier that could be misread, because it has a dot, a plus or a quote in it
// or is empty, is quoted as in SQL, so that different tables never have the same name.
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

// Texts reads a text, or a list of texts; nil for anything else.
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
