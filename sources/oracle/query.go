package oracle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// openQuery runs the query of a rule. Its columns are those of the result.
func (d *database) openQuery(ctx context.Context, r *reader) (err error) {
	p := r.Part
	if err := onlyReads(p); err != nil {
		return err
	}
	key, err := p.KeyNames(ctx, r.Session, nil)
	if err != nil {
		return err
	}
	query, t, err := d.describeQuery(ctx, r.Session, p)
	if err != nil {
		return err
	}
	if err := r.Run(ctx, query, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = r.Result.Close()
		}
	}()
	if t == nil {
		if t, err = d.plainResult(p, r.Result); err != nil {
			return err
		}
	}
	if err := p.SetKey(t, key); err != nil {
		return err
	}
	r.Table, r.Row = t, p.RowOf(t)
	return nil
}

// describeQuery returns how to read the query of a rule: unchanged, unless it has columns that must be
// converted in the SELECT, or cannot be read. t is nil if that is known only when it runs.
func (d *database) describeQuery(ctx context.Context, s *session, p *part) (query string, t *table, err error) {
	within := " FROM (\n" + p.Rule.Query + "\n) q"
	columns, err := s.describe(ctx, "SELECT *"+within+" WHERE 1 = 0")
	switch c := code(err); {
	case c == codeTwoColumns || c == codeNotWithin:
		return p.Rule.Query, nil, nil
	case err != nil:
		return "", nil, err
	}
	t = &table{Columns: columns}
	if err := d.settle(ctx, s, p, t); err != nil {
		return "", nil, err
	}
	asWritten := len(t.Columns) == len(columns)
	for i := range t.Columns {
		asWritten = asWritten && t.Columns[i].Type.From == ""
	}
	if asWritten {
		return p.Rule.Query, t, nil
	}
	return "SELECT " + t.List(quote) + within, t, nil
}

// plainResult are the columns of a query that cannot be nested in another one. None of them can be
// converted.
func (d *database) plainResult(p *part, result *sqlread.Cursor) (*table, error) {
	t := &table{Columns: columnsOf(result.Rows())}
	for i := range t.Columns {
		c := &t.Columns[i]
		c.Type = c.Type.Encoded(d.Compat)
		if c.Type.From != "" || c.Type.Value == nil {
			err := fmt.Errorf("column %q has the type %s, which can be read only if all columns have different names", c.Name, c.Type.Declared)
			return nil, p.QueryError(err, "give the columns of the result different names")
		}
	}
	return t, nil
}

// onlyReads refuses anything but a query before it is sent, because the driver commits other statements.
func onlyReads(p *part) error {
	if slices.Contains([]string{"SELECT", "WITH"}, firstWord(p.Rule.Query)) {
		return nil
	}
	return p.QueryError(fmt.Errorf("it does not begin with SELECT or WITH"), queryHint)
}

const queryHint = "write one SELECT or WITH statement that only reads"

// firstWord is the first word of a statement, in capitals, after parentheses and comments.
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
