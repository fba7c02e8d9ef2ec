package mysql

import (
	"context"
	"errors"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// openQuery runs the query of a rule unchanged. Its columns are those of the result.
func (d *database) openQuery(ctx context.Context, r *reader) error {
	p := r.Part
	key, err := p.KeyNames(ctx, r.Session, strings.Compare)
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
	r.Row = p.RowOf(r.Table)
	return nil
}
