package postgresql

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Describe implements [source.Describer]. The catalog is read once for all parts of a table, in its current state:
// in its own short transaction, which leaves the snapshot of the run untouched, on a connection that
// parts are then read from. It needs no privilege on the table.
func (p *part) Describe(ctx context.Context) (source.Description, error) {
	return p.about.Once(func() (source.Description, error) {
		conn, err := p.begin(ctx, "")
		if err != nil {
			return source.Description{}, err
		}
		t, err := p.describe(ctx, conn, oidOf(&p.Rel))
		if t == nil {
			hangUp(ctx, conn)
			return source.Description{}, err
		}
		p.db.release(ctx, conn) // an error with a table is about its key: the table is not read until that is configured
		return p.description(t), nil
	})
}

// description describes the documents of a table.
func (p *part) description(t *table) source.Description {
	r, _ := p.rowOf(t)
	return t.Describe(p.db.Profile, r.prefix, r.record.Describe(t.Kinds()))
}
