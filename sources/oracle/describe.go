package oracle

import (
	"context"
	"errors"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Describe implements [source.Describer]. The catalogue is asked on one of the sessions that the parts read with,
// within its transaction. It shows no table to a user who may not read it.
func (p *part) Describe(ctx context.Context) (source.Description, error) {
	return p.about.Once(func() (source.Description, error) {
		for {
			s, used, err := p.db.snapshots.Borrow(ctx, p.db.openLate, tooMany)
			if err != nil {
				return source.Description{}, p.failed("connect", err)
			}
			t, err := p.lookUp(ctx, s)
			if t != nil { // an error with a table is about its key: it will not be read until that is configured
				p.db.release(ctx, s)
				return p.description(t), nil
			}
			p.db.giveBack(ctx, s, err)
			if !used || !hungUp(err) || ctx.Err() != nil {
				return source.Description{}, p.failed("describe the table", err)
			}
		}
	})
}

// lookUp looks for the columns and the key.
func (p *part) lookUp(ctx context.Context, s *session) (*table, error) {
	if p.rule == nil {
		t, err := p.describe(ctx, s)
		if outdated(err) { // the transaction has become too old to ask the catalogue
			s.late = true
			if err = s.begin(ctx); err == nil {
				t, err = p.describe(ctx, s)
			}
		}
		return t, err
	}
	if err := p.onlyReads(); err != nil {
		return nil, err
	}
	key, err := p.keyNames(ctx, s)
	if err != nil {
		return nil, err
	}
	_, t, err := p.describeQuery(ctx, s)
	if err != nil {
		return nil, err
	}
	if t == nil { // which does not pass, so it is of no kind
		return nil, &source.Error{Err: errors.New("the columns of the query are known only when it runs")}
	}
	return t, p.setKey(t, key)
}

// description describes the documents of a table.
func (p *part) description(t *table) source.Description {
	r, _ := p.rowOf(t)
	return t.Describe(r.ID.Profile, r.ID.Prefix, r.Record.Describe(t.Kinds()))
}
