package oracle

import (
	"context"
)

// Check asks the server whether the query of a rule is one, and whether its rows can be told apart. What can
// stand in parentheses behind FROM changes nothing, and because of the condition it is not run. What may not
// be read is no mistake of the configuration: it fails its part alone. The server says the same of what does
// not exist.
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

// checkColumns looks for the key among the columns of the query's result. Where they cannot be known yet, it
// is looked for when the query is run.
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
