package oracle

import (
	"context"
	"errors"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// LookUp implements [sqlread.Dialect]. The catalog is read within the transaction of the session. It shows no table
// to a user who may not read it.
func (d *database) LookUp(ctx context.Context, s *session, p *part) (*table, error) {
	if p.Rule == nil {
		return d.Describe(ctx, s, p)
	}
	if err := onlyReads(p); err != nil {
		return nil, err
	}
	key, err := p.KeyNames(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	_, t, err := d.describeQuery(ctx, s, p)
	if err != nil {
		return nil, err
	}
	if t == nil { // this is permanent, so the error has no kind
		return nil, &source.Error{Err: errors.New("the columns of the query are known only when it runs")}
	}
	return t, p.SetKey(t, key)
}
