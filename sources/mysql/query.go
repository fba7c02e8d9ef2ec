package mysql

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// openQuery runs the query of a rule as it is written. Its columns are those that it answers with.
func (p *part) openQuery(ctx context.Context, r *reader) error {
	key, err := p.keyNames(ctx, r.session)
	if err != nil {
		return err
	}
	r.result, err = sqlread.Open(ctx, &r.session.Conn, p.rule.Query, nil)
	if wrong, ok := errors.AsType[*sqlread.ParameterError](err); ok {
		return p.queryError(wrong, "write the value into the query")
	}
	if err != nil {
		return err
	}
	r.table = &table{Columns: columnsOf(r.result.Rows())}
	r.table.Encode(p.db.compat)
	if err := p.setKey(r.table, key); err != nil {
		return err
	}
	r.row = p.newRow(r.table)
	return nil
}

// keyNames are the columns that tell the rows of a rule apart: those that it names, or else the keys of
// its tables; in ids as Elastic's connector writes them in the order of their names.
func (p *part) keyNames(ctx context.Context, s *session) (key []sqlread.KeyColumn, err error) {
	for _, name := range p.rule.IDColumns {
		key = append(key, sqlread.KeyColumn{Name: name})
	}
	if key != nil {
		return key, nil
	}
	for i := range p.rule.tables {
		rel := &p.rule.tables[i]
		names, err := p.db.keyOf(ctx, s, rel)
		if err != nil {
			return nil, err
		}
		if names == nil {
			names = p.db.declaredKey(rel.name)
		}
		if len(names) == 0 {
			return nil, sqlread.NoKeyError(p.Name(), rel.what(), rel.name)
		}
		for _, name := range names {
			key = append(key, sqlread.KeyColumn{Name: name, Table: rel.name})
		}
	}
	if p.db.profile != sqlread.Native {
		slices.SortStableFunc(key, func(a, b sqlread.KeyColumn) int { return cmp.Compare(a.Name, b.Name) })
	}
	return key, nil
}

// setKey finds the columns of the key in a result.
func (p *part) setKey(t *table, key []sqlread.KeyColumn) (err error) {
	t.Key, err = sqlread.PlaceKey(p.Name(), t.Names(), key)
	return err
}
