package mysql

import (
	"context"
	"database/sql/driver"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Describe implements [source.Describer]. The server is asked once for all parts of a table, on one of the
// sessions that the parts read with, which keeps its snapshot and no lock.
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
	if p.rule != nil {
		return p.describeQuery(ctx, s)
	}
	t, err := p.describe(ctx, s)
	if t == nil && refused(code(err)) {
		return p.lookUpUnreadable(ctx, s)
	}
	return t, err
}

// The columns that * would stand for, as a user sees them who has some right on the table.
const visibleColumnsQuery = `
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND EXTRA NOT LIKE '%INVISIBLE%'
ORDER BY ORDINAL_POSITION`

// lookUpUnreadable is [part.describe] for a table that the user may not read, as far as the catalogue tells.
func (p *part) lookUpUnreadable(ctx context.Context, s *session) (*table, error) {
	t := &table{Nullable: true}
	err := s.Each(ctx, visibleColumnsQuery, []driver.Value{p.db.set.database, p.rel.name}, func(row []driver.Value) {
		typ := declaredType(sqlread.TextOf(row[1]), sqlread.TextOf(row[2]))
		t.Columns = append(t.Columns, column{Name: sqlread.TextOf(row[0]), Type: typ.Encoded(p.db.compat)})
	})
	if err != nil {
		return nil, err
	}
	names, err := p.db.keyOf(ctx, s, &p.rel)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if i := t.Place(name); i >= 0 {
			t.Key = append(t.Key, i)
			t.Nullable = false
		}
	}
	return p.db.reduced(t), nil
}

// description describes the documents of a table.
func (p *part) description(t *table) source.Description {
	r, _ := p.rowOf(t)
	var kinds []source.FieldKind
	for i, c := range t.Columns {
		if r.place[i] >= 0 {
			kinds = append(kinds, c.Type.Kind)
		}
	}
	return t.Describe(p.db.profile, r.id.Prefix, r.record.Describe(kinds))
}
