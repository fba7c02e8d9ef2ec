package oracle

import (
	"context"
)

// Check checks whether the query of a rule is a query, and whether its rows can be identified. A statement
// that is valid in parentheses after FROM changes nothing, and because of the condition it does not run. A missing
// privilege is not a configuration error: it fails only its part. The server gives the same error for
// tables that do not exist.
func (d *database) Check(ctx context.Context, s *session, p *part) error {
	err := onlyReads(p)
	if err == nil {
		err = d.checkColumns(ctx, s, p)
	}
	switch code(err) {
	case codeNoTable:
		return nil
	case codeNoValue:
		return p.QueryError(err, "write the value into the query")
	}
	return p.Checked(err, queryHint)
}

// checkColumns finds the key among the columns of the query's result. If they cannot be known yet, that
// happens when the query runs.
func (d *database) checkColumns(ctx context.Context, s *session, p *part) error {
	key, err := p.KeyNames(ctx, s, nil)
	if err != nil {
		return err
	}
	_, t, err := d.describeQuery(ctx, s, p)
	if err != nil || t == nil {
		return err
	}
	return p.SetKey(t, key)
}
