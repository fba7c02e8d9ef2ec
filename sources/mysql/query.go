package mysql

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// openQuery runs the query of a rule as it is written. Its columns are those that it answers with.
func (d *database) openQuery(ctx context.Context, r *reader) error {
	p := r.Part
	key, err := d.keyNames(ctx, r.Session, p)
	if err != nil {
		return err
	}
	err = r.Run(ctx, p.Rule.Query, nil)
	if wrong, ok := errors.AsType[*sqlread.ParameterError](err); ok {
		return p.QueryError(wrong, "write the value into the query")
	}
	if err != nil {
		return err
	}
	r.Table = &table{Columns: columnsOf(r.Result.Rows())}
	r.Table.Encode(d.Compat)
	if err := p.SetKey(r.Table, key); err != nil {
		return err
	}
	r.Row = d.Documents(p, r.Table)
	return nil
}

// keyNames are the columns that tell the rows of a rule apart, in ids as Elastic's connector writes them in the order
// of their names.
func (d *database) keyNames(ctx context.Context, s *session, p *part) ([]sqlread.KeyColumn, error) {
	key, err := p.KeyNames(ctx, s)
	if p.Rule.IDColumns == nil && d.Profile != sqlread.Native {
		slices.SortStableFunc(key, func(a, b sqlread.KeyColumn) int { return cmp.Compare(a.Name, b.Name) })
	}
	return key, err
}
