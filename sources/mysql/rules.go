package mysql

import (
	"context"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Check checks whether the query of a rule only reads, and whether its rows can
// be identified. A missing privilege is not a configuration error: it fails only its part.
func (d *database) Check(ctx context.Context, s *session, p *part) error {
	n, err := s.prepare(ctx, p.Rule.Query)
	switch {
	case err != nil:
	case n > 0:
		return p.QueryError(&sqlread.ParameterError{N: n}, "write the value into the query")
	default:
		err = d.checkColumns(ctx, s, p)
	}
	return p.Checked(err, "write one SELECT or WITH statement that only reads")
}

// checkColumns finds the key among the columns of the query's result. If two columns have the same name,
// which the server refuses last of all, the key is found when the query is read.
func (d *database) checkColumns(ctx context.Context, s *session, p *part) error {
	_, err := d.describeQuery(ctx, s, p)
	if code(err) == codeTwoColumns {
		return nil
	}
	return err
}

// describeQuery reads the columns of the query's result and finds its key among them. Only a single query that changes
// nothing and writes no file is valid here in parentheses, and because of the limit it does not run.
func (d *database) describeQuery(ctx context.Context, s *session, p *part) (*table, error) {
	key, err := p.KeyNames(ctx, s, strings.Compare)
	if err != nil {
		return nil, err
	}
	columns, err := s.describe(ctx, "SELECT * FROM (\n"+p.Rule.Query+"\n) AS q LIMIT 0")
	if err != nil {
		return nil, err
	}
	t := &table{Columns: columns}
	t.Encode(d.Compat)
	return t, p.SetKey(t, key)
}
