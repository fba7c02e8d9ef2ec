package mssql

import (
	"context"
)

// Check checks whether the server understands the query of a rule, and whether its rows can be
// identified. A missing privilege is not a configuration error: it fails only its part.
func (d *database) Check(ctx context.Context, s *session, p *part) error {
	if err := onlyReads(p); err != nil {
		return err
	}
	_, _, err := d.describeQuery(ctx, s, p)
	return p.Checked(err, oneSelectHint)
}

const oneSelectHint = "write one SELECT or WITH statement that only reads"

// onlyReads checks that the query of a rule is one read-only statement.
func onlyReads(p *part) error {
	if err := oneSelect(p.Rule.Query); err != nil {
		return p.QueryError(err, oneSelectHint)
	}
	return nil
}
