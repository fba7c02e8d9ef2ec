package postgresql

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
//	sales.orders the table of that schema
//	"a.b"        quoted as in SQL: nothing in it has a meaning
//	log_*        a pattern: * any text, ? one character, [a-z] one of them, \ takes a meaning away
//	-log_*       leaves tables out; a list of nothing else stands for all others
//
// Names are taken as they are written: letter case counts.

// name is one identifier of an entry, or a pattern of them.
type name struct {
	text  string
	exact bool // no pattern
}

// parseName reads one identifier that ends at one of the bytes of stop or at the end of s.
func parseName(s, stop string) (n name, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		return parseQuoted(s)
	}
	end := strings.IndexAny(s, stop)
	if end < 0 {
		end = len(s)
	}
	n.text, rest = s[:end], s[end:]
	n.exact = !strings.ContainsAny(n.text, `*?[\`)
	if n.text == "" {
		return n, rest, errors.New("a name is missing")
	}
	if _, err := path.Match(slashless(n.text), ""); err != nil {
		return n, rest, fmt.Errorf("the pattern %q is not complete", n.text)
	}
	return n, rest, nil
}

func parseQuoted(s string) (n name, rest string, err error) {
	var b strings.Builder
	rest = s[1:]
	for {
		before, after, ok := strings.Cut(rest, `"`)
		if !ok {
			return n, "", errors.New("the closing quote is missing")
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, `"`) {
			return name{text: b.String(), exact: true}, after, nil
		}
		b.WriteByte('"')
		rest = after[1:]
	}
}

func (n name) match(s string) bool {
	if n.exact {
		return n.text == s
	}
	ok, err := path.Match(slashless(n.text), slashless(s))
	return err == nil && ok
}

// slashless makes a slash an ordinary character to [path.Match]: no identifier holds a NUL.
func slashless(s string) string { return strings.ReplaceAll(s, "/", "\x00") }

// schemaList is the configured schemas: nil is all that are not the system's own.
type schemaList []string

// parseSchemas reads one name, several between commas, or *.
func parseSchemas(text string) (schemaList, error) {
	var list schemaList
	all := false
	for rest := strings.TrimSpace(text); rest != ""; {
		var n name
		var err error
		if n, rest, err = parseName(rest, ","); err != nil {
			return nil, fmt.Errorf("schema %q: %w", text, err)
		}
		rest = strings.TrimSpace(rest)
		if rest != "" && rest[0] != ',' {
			return nil, fmt.Errorf("schema %q: %q follows a name", text, rest)
		}
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
		n.text = strings.TrimSpace(n.text)
		switch {
		case n.text == "*":
			all = true
		case !slices.Contains(list, n.text):
			list = append(list, n.text)
		}
	}
	if all {
		return nil, nil
	}
	if len(list) == 0 {
		return nil, errors.New("schema is empty")
	}
	return list, nil
}

// entry is one member of the table list.
type entry struct {
	text          string // as written, without the minus
	exclude       bool
	schema, table name // schema is empty where none is written
}

// tableList is the configured tables.
type tableList struct {
	entries []entry
	all     bool // * is a member, or every member leaves out
}

// parseTables reads the members of the table list; each counts once.
func parseTables(members []string) (tableList, error) {
	var l tableList
	for _, m := range members {
		if m = strings.TrimSpace(m); m == "" {
			continue
		}
		e, err := parseEntry(m)
		if err != nil {
			return l, fmt.Errorf("tables: %q: %w", m, err)
		}
		known := slices.ContainsFunc(l.entries, func(o entry) bool { return o.text == e.text && o.exclude == e.exclude })
		if !known {
			l.entries = append(l.entries, e)
		}
	}
	if len(l.entries) == 0 {
		return l, errors.New("tables names no table")
	}
	l.all = !slices.ContainsFunc(l.entries, func(e entry) bool { return !e.exclude }) ||
		slices.ContainsFunc(l.entries, func(e entry) bool { return !e.exclude && e.text == "*" })
	return l, nil
}

func parseEntry(m string) (entry, error) {
	e := entry{}
	e.text, e.exclude = strings.CutPrefix(m, "-")
	first, rest, err := parseName(e.text, ".")
	if err != nil {
		return e, err
	}
	e.table = first
	if strings.HasPrefix(rest, ".") {
		e.schema = first
		if e.table, rest, err = parseName(rest[1:], "."); err != nil {
			return e, err
		}
	}
	if rest != "" {
		return e, fmt.Errorf("%q follows the table's name", rest)
	}
	return e, nil
}

// match reports whether the entry names the table. A name with a dot, written without quotes, may
// also be the whole name of a table.
func (e *entry) match(schema, table string) bool {
	if e.text == table {
		return true
	}
	return (e.schema == name{} || e.schema.match(schema)) && e.table.match(table)
}

// exact reports whether the entry is no pattern, so that a table must exist for it.
func (e *entry) exact() bool {
	return e.table.exact && (e.schema == name{} || e.schema.exact)
}

// wants reports whether the list asks for the table.
func (l *tableList) wants(schema, table string) bool {
	wanted := l.all
	for i := range l.entries {
		e := &l.entries[i]
		if e.exclude && e.match(schema, table) {
			return false
		}
		wanted = wanted || (!e.exclude && e.match(schema, table))
	}
	return wanted
}

// names reports whether a member of the list is exactly the name of the table.
func (l *tableList) names(schema, table string) bool {
	return slices.ContainsFunc(l.entries, func(e entry) bool {
		return !e.exclude && e.match(schema, table) && (e.exact() || e.text == table)
	})
}

// without is the line of the configuration that asks for the same tables but this one.
func (l *tableList) without(schema, table string) string {
	var b strings.Builder
	b.WriteString("tables: [")
	for _, e := range l.entries {
		if e.exclude {
			e.text = "-" + e.text
		}
		fmt.Fprintf(&b, "%q, ", e.text)
	}
	fmt.Fprintf(&b, "%q]", "-"+writeEntry(schema, table))
	return b.String()
}

// writeEntry writes a table as a member of the list that names it alone.
func writeEntry(schema, table string) string {
	parts := []string{schema, table}
	for i, p := range parts {
		if p == "" || strings.ContainsAny(p, "*?[\\.\",-") || strings.TrimSpace(p) != p {
			parts[i] = quoteIdent(p)
		}
	}
	return strings.Join(parts, ".")
}
