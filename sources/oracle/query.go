package oracle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// openQuery runs the query of a rule. Its columns are those that it answers with.
func (p *part) openQuery(ctx context.Context, r *reader) (err error) {
	if err := p.onlyReads(); err != nil {
		return err
	}
	key, err := p.keyNames(ctx, r.session)
	if err != nil {
		return err
	}
	query, t, err := p.describeQuery(ctx, r.session)
	if err != nil {
		return err
	}
	if r.result, err = sqlread.Open(ctx, &r.session.Conn, query, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = r.result.Close()
		}
	}()
	if t == nil {
		if t, err = p.plainResult(r.result); err != nil {
			return err
		}
	}
	if err := p.setKey(t, key); err != nil {
		return err
	}
	r.table, r.row = t, p.newRow(t)
	return nil
}

// describeQuery tells how the query of a rule is read: as it is written, unless it has columns that must be
// selected as something else, or cannot be. t is nil where that is known only when it runs.
func (p *part) describeQuery(ctx context.Context, s *session) (query string, t *table, err error) {
	within := " FROM (\n" + p.rule.Query + "\n) q"
	columns, err := s.describe(ctx, "SELECT *"+within+" WHERE 1 = 0")
	switch c := code(err); {
	case c == codeTwoColumns || c == codeNotWithin:
		return p.rule.Query, nil, nil
	case err != nil:
		return "", nil, err
	}
	t = &table{Columns: columns}
	if err := p.settle(ctx, s, t); err != nil {
		return "", nil, err
	}
	asWritten := len(t.Columns) == len(columns)
	for i := range t.Columns {
		asWritten = asWritten && t.Columns[i].Type.From == ""
	}
	if asWritten {
		return p.rule.Query, t, nil
	}
	return "SELECT " + t.List(quote) + within, t, nil
}

// plainResult are the columns of a query that cannot stand within another one. None of them can be selected
// as something else.
func (p *part) plainResult(result *sqlread.Cursor) (*table, error) {
	t := &table{Columns: columnsOf(result.Rows())}
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Type = c.Type.Encoded(p.db.compat)
		if c.Type.From != "" || c.Type.Value == nil {
			err := fmt.Errorf("the column %q is of the type %s, which can be read only where every column has a name of its own", c.Name, c.Type.Declared)
			return nil, p.queryError(err, "give the columns of the result different names")
		}
	}
	return t, nil
}

// keyNames are the columns that tell the rows of a rule apart: those that it names, or else the keys of
// its tables.
func (p *part) keyNames(ctx context.Context, s *session) (key []sqlread.KeyColumn, err error) {
	for _, name := range p.rule.IDColumns {
		key = append(key, sqlread.KeyColumn{Name: name})
	}
	if key != nil {
		return key, nil
	}
	for i := range p.rule.tables {
		rel := &p.rule.tables[i]
		names, err := p.db.keyOf(ctx, s, rel)
		if err != nil {
			return nil, err
		}
		if names == nil {
			names = p.db.declaredKey(rel)
		}
		if len(names) == 0 {
			return nil, sqlread.NoKeyError(p.Name(), rel.kind, p.db.shown(rel))
		}
		for _, name := range names {
			key = append(key, sqlread.KeyColumn{Name: name, Table: p.db.shown(rel)})
		}
	}
	return key, nil
}

// setKey finds the columns of the key in a result.
func (p *part) setKey(t *table, key []sqlread.KeyColumn) (err error) {
	t.Key, err = sqlread.PlaceKey(p.Name(), t.Names(), key)
	return err
}

// onlyReads refuses what is no query, before it is sent: the driver commits what it takes for something else.
func (p *part) onlyReads() error {
	if slices.Contains([]string{"SELECT", "WITH"}, firstWord(p.rule.Query)) {
		return nil
	}
	return p.queryError(fmt.Errorf("it does not begin with SELECT or WITH"), queryHint)
}

const queryHint = "write one SELECT or WITH statement that only reads"

// firstWord is the first word of a statement, in capitals, behind parentheses and comments.
func firstWord(query string) string {
	for {
		query = strings.TrimLeft(query, "( \t\r\n")
		switch {
		case strings.HasPrefix(query, "--"):
			_, query, _ = strings.Cut(query, "\n")
		case strings.HasPrefix(query, "/*"):
			_, query, _ = strings.Cut(query, "*/")
		default:
			end := strings.IndexFunc(query, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
			if end < 0 {
				end = len(query)
			}
			return strings.ToUpper(query[:end])
		}
	}
}
