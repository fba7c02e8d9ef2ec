package postgresql

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Describe implements [source.Describer]. The catalogue is asked once for all parts of a table, and as it is
// now: in a short transaction of its own, which leaves the snapshot of the run alone, on a connection that
// the parts then read from. No right to read the table is needed.
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
		p.db.release(ctx, conn) // an error with a table is about its key: it will not be read until that is configured
		return p.description(t), nil
	})
}

// description describes the documents of a table.
func (p *part) description(t *table) source.Description {
	r, _ := p.rowOf(t)
	return t.Describe(p.db.Profile, r.prefix, r.record.Describe(t.Kinds()))
}
