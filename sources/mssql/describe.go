package mssql

import (
	"context"
	"errors"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Describe implements [source.Describer]. It asks outside of snapshots, on one of the sessions that the parts
// read with. Of a table that may not be read the catalogue shows the columns to a user who has any right on it.
func (p *part) Describe(ctx context.Context) (source.Description, error) {
	return p.about.Once(func() (source.Description, error) {
		for {
			s, used, err := p.db.snapshots.Borrow(ctx, p.db.openLate, tooMany)
			if err != nil {
				return source.Description{}, p.tableError("connect", err)
			}
			t, err := p.lookUp(ctx, s)
			if t != nil { // an error with a table is about its key: it will not be read until that is configured
				p.db.release(s)
				return p.description(t), nil
			}
			p.db.giveBack(ctx, s, err)
			if !used || !hungUp(err) || ctx.Err() != nil {
				return source.Description{}, p.tableError("describe the table", err)
			}
		}
	})
}

// lookUp looks for the columns and the key. With a table it returns no error but of the configuration.
func (p *part) lookUp(ctx context.Context, s *session) (*table, error) {
	if p.rule == nil {
		return p.describe(ctx, s)
	}
	if err := p.onlyReads(); err != nil {
		return nil, err
	}
	t, _, err := p.describeQuery(ctx, s)
	if _, ours := errors.AsType[*source.Error](err); err != nil && !ours {
		return nil, err
	}
	return t, err
}

// description describes the documents of a table.
func (p *part) description(t *table) source.Description {
	r, _ := p.rowOf(t)
	return t.Describe(p.db.profile, r.ID.Prefix, r.Record.Describe(t.Kinds()))
}
