package mysql

import (
	"context"
	"database/sql/driver"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// LookUp finds the columns and the key.
func (d *database) LookUp(ctx context.Context, s *session, p *part) (*table, error) {
	if p.Rule != nil {
		return d.describeQuery(ctx, s, p)
	}
	t, err := d.Describe(ctx, s, p)
	if t == nil && refused(code(err)) {
		return d.lookUpUnreadable(ctx, s, &p.Rel)
	}
	return t, err
}

// The columns of *, as visible to a user with any privilege on the table.
const visibleColumnsQuery = `
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND EXTRA NOT LIKE '%INVISIBLE%'
ORDER BY ORDINAL_POSITION`

// lookUpUnreadable is Describe for a table that the user may not read, as far as the catalog shows it.
func (d *database) lookUpUnreadable(ctx context.Context, s *session, rel *relation) (*table, error) {
	t := &table{Nullable: true}
	err := s.Each(ctx, visibleColumnsQuery, []driver.Value{d.set.database, rel.Name}, func(row []driver.Value) {
		typ := declaredType(sqlread.TextOf(row[1]), sqlread.TextOf(row[2]))
		t.Columns = append(t.Columns, column{Name: sqlread.TextOf(row[0]), Type: typ.Encoded(d.Compat)})
	})
	if err != nil {
		return nil, err
	}
	names, err := d.KeyOf(ctx, s, rel)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if i := t.Place(name); i >= 0 {
			t.Key = append(t.Key, i)
			t.Nullable = false
		}
	}
	return sqlread.Reduced(&d.Config, t), nil
}
