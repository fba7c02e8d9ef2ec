package sqlread

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// The table list, in short:
//
//	*            all tables of the configured schemas
//	orders       the table of that name, in every configured schema
//	"a.b"        quoted as in standard SQL: all characters are literal
//	log_*        a pattern: * any text, ? one character, [a-z] one of them, \ makes a character literal; if
//	             identifiers are quoted by brackets, a name that begins with one is not a pattern
//	-log_*       excludes tables; a list of exclusions only means all others
//	-log_*       leaves tables out; a list of nothing else stands for all others
//
// Names are case-sensitive.

// Name is one identifier of an entry, or a pattern of them.
type Name struct {
	Text  string
	Exact bool // not a pattern
}

// ParseName reads one identifier that ends at one of the bytes of stop or at the end of s.
func (q Quote) ParseName(s, stop string) (n Name, rest string, err error) {
	if s != "" && s[0] == byte(q) {
		return q.parseQuoted(s)
	}
	end := strings.IndexAny(s, stop)
	if end < 0 {
		end = len(s)
	}
	n.Text, rest = s[:end], s[end:]
	n.Exact = !strings.ContainsAny(n.Text, `*?[\`)
	if n.Text == "" {
		return n, rest, errors.New("a name is missing")
	}
	if _, err := path.Match(slashless(n.Text), ""); err != nil {
		return n, rest, fmt.Errorf("the pattern %q is not complete", n.Text)
	}
	return n, rest, nil
}

func (q Quote) parseQuoted(s string) (n Name, rest string, err error) {
	var b strings.Builder
	rest = s[1:]
	for {
		before, after, ok := strings.Cut(rest, q.end())
		if !ok {
			return n, "", errors.New("the closing quote is missing")
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, q.end()) {
			return Name{Text: b.String(), Exact: true}, after, nil
		}
		b.WriteString(q.end())
		rest = after[1:]
	}
}

// Match reports whether it names or matches the identifier.
func (n Name) Match(s string) bool {
	if n.Exact {
		return n.Text == s
	}
	ok, err := path.Match(slashless(n.Text), slashless(s))
	return err == nil && ok
}

// slashless makes a slash an ordinary character for [path.Match]: no identifier contains a NUL.
func slashless(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

// Entry is one member of the table list.
type Entry struct {
	Text          string // as written, without the minus
	Exclude       bool
	Schema, Table Name // Schema is empty if none is written
}

// TableList is the configured tables.
type TableList struct {
	Entries []Entry
	all     bool // * is a member, or every member is an exclusion
	quote   Quote
}

// ParseTables reads the members of the table list, each once.
func (q Quote) ParseTables(members []string) (TableList, error) {
	l := TableList{quote: q}
	for _, m := range members {
		if m = strings.TrimSpace(m); m == "" {
			continue
		}
		e, err := q.ParseEntry(m)
		if err != nil {
			return l, fmt.Errorf("tables: %q: %w", m, err)
		}
		known := slices.ContainsFunc(l.Entries, func(o Entry) bool { return o.Text == e.Text && o.Exclude == e.Exclude })
		if !known {
			l.Entries = append(l.Entries, e)
		}
	}
	if len(l.Entries) == 0 {
		return l, errors.New("tables names no table")
	}
	l.all = !slices.ContainsFunc(l.Entries, func(e Entry) bool { return !e.Exclude }) ||
		slices.ContainsFunc(l.Entries, func(e Entry) bool { return !e.Exclude && e.Text == "*" })
	return l, nil
}

// Of is a list of one of the entries.
func (l *TableList) Of(e Entry) TableList { return TableList{Entries: []Entry{e}, quote: l.quote} }

// ParseEntry reads one member.
func (q Quote) ParseEntry(m string) (Entry, error) {
	e := Entry{}
	e.Text, e.Exclude = strings.CutPrefix(m, "-")
	first, rest, err := q.ParseName(e.Text, ".")
	if err != nil {
		return e, err
	}
	e.Table = first
	if strings.HasPrefix(rest, ".") {
		e.Schema = first
		if e.Table, rest, err = q.ParseName(rest[1:], "."); err != nil {
			return e, err
		}
	}
	if rest != "" {
		return e, fmt.Errorf("%q follows the table's name", rest)
	}
	return e, nil
}

// Match reports whether the entry matches the table. A name with a dot, written without quotes, may
// also be the complete name of a table.
func (e *Entry) Match(schema, table string) bool {
	if e.Text == table {
		return true
	}
	return (e.Schema == Name{} || e.Schema.Match(schema)) && e.Table.Match(table)
}

// Fold lower-cases the entry, for a server whose table names are case-insensitive.
func (e *Entry) Fold() {
	for _, text := range []*string{&e.Text, &e.Schema.Text, &e.Table.Text} {
		*text = strings.ToLower(*text)
	}
}

// Raise upper-cases the entry, for a server that does so with unquoted names.
func (e *Entry) Raise() {
	for _, text := range []*string{&e.Text, &e.Schema.Text, &e.Table.Text} {
		*text = strings.ToUpper(*text)
	}
}

// Exact reports whether the entry is not a pattern, so that its table must exist.
func (e *Entry) Exact() bool {
	return e.Table.Exact && (e.Schema == Name{} || e.Schema.Exact)
}

// Wants reports whether the list includes the table.
func (l *TableList) Wants(schema, table string) bool {
	wanted := l.all
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Exclude && e.Match(schema, table) {
			return false
		}
		wanted = wanted || (!e.Exclude && e.Match(schema, table))
	}
	return wanted
}

// Names reports whether a member of the list is exactly the table's name.
func (l *TableList) Names(schema, table string) bool {
	return slices.ContainsFunc(l.Entries, func(e Entry) bool {
		return !e.Exclude && e.Match(schema, table) && (e.Exact() || e.Text == table)
	})
}

// Without is a configuration line that includes the same tables except for these, each a schema, if the
// list has schemas, and a name.
func (l *TableList) Without(tables ...[2]string) string {
	var b strings.Builder
	b.WriteString("tables: [")
	for _, e := range l.Entries {
		if e.Exclude {
			e.Text = "-" + e.Text
		}
		fmt.Fprintf(&b, "%q, ", e.Text)
	}
	for i, t := range tables {
		joint := ""
		if i > 0 {
			joint = ", "
		}
		fmt.Fprintf(&b, "%s%q", joint, "-"+l.quote.WriteEntry(t[0], t[1]))
	}
	return b.String() + "]"
}

// WriteEntry writes the member of the list that names only this table; schema is "" if the list is
// about one schema.
func (q Quote) WriteEntry(schema, table string) string {
	parts := []string{schema, table}
	if schema == "" {
		parts = parts[1:]
	}
	for i, p := range parts {
		if p == "" || strings.ContainsAny(p, `*?[\.,-`+string(q)+q.end()) || strings.TrimSpace(p) != p {
			parts[i] = q.Ident(p)
		}
	}
	return strings.Join(parts, ".")
}
