package mssql

import (
	"context"
	"errors"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// LookUp implements [sqlread.Dialect]. It queries outside of snapshots. The catalog shows the columns of an unreadable
// table to a user who has any privilege on it.
func (d *database) LookUp(ctx context.Context, s *session, p *part) (*table, error) {
	if p.Rule == nil {
		return d.Describe(ctx, s, p)
	}
	if err := onlyReads(p); err != nil {
		return nil, err
	}
	t, _, err := d.describeQuery(ctx, s, p)
	if _, ours := errors.AsType[*source.Error](err); err != nil && !ours {
		return nil, err
	}
	return t, err
}
