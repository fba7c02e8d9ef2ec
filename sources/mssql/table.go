package mssql

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	// columnsQuery excludes columns that * does not include, and the sets of sparse columns, which only repeat
	// those. An alias type counts as its base type; sys.types shows only types
	// on which the user has a privilege, which include all built-in types.
	columnsQuery = `
SELECT c.name, COALESCE(CASE WHEN t.is_user_defined = 0 OR t.is_assembly_type = 1 THEN t.name END, TYPE_NAME(c.system_type_id)),
       c.max_length, c.precision, c.scale, c.collation_name,
       CASE WHEN c.encryption_type IS NULL THEN 0 ELSE 1 END,
       CASE WHEN c.is_masked = 1 AND HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'UNMASK') = 0 THEN 1 ELSE 0 END
FROM sys.columns c LEFT JOIN sys.types t ON t.user_type_id = c.user_type_id
WHERE c.object_id = @p1 AND c.is_hidden = 0 AND c.is_column_set = 0
ORDER BY c.column_id`

	// oldColumnsQuery is for servers before 2016.
	oldColumnsQuery = `
SELECT c.name, COALESCE(CASE WHEN t.is_user_defined = 0 OR t.is_assembly_type = 1 THEN t.name END, TYPE_NAME(c.system_type_id)),
       c.max_length, c.precision, c.scale, c.collation_name,
       0, 0
FROM sys.columns c LEFT JOIN sys.types t ON t.user_type_id = c.user_type_id
WHERE c.object_id = @p1 AND c.is_column_set = 0
ORDER BY c.column_id`

	// keysQuery: a filtered index does not identify all rows, a disabled one is not enforced, and one over a
	// column that * does not include is useless, such as the hidden graph_id of a graph table.
	keysQuery = `
SELECT i.name, i.is_primary_key, c.name, CASE WHEN c.is_nullable = 1 OR c.is_hidden = 1 THEN 1 ELSE 0 END
FROM sys.indexes i
JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE i.object_id = @p1 AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
ORDER BY i.is_primary_key DESC, i.index_id, x.key_ordinal`

	// oldKeysQuery is for servers before 2016.
	oldKeysQuery = `
SELECT i.name, i.is_primary_key, c.name, CASE WHEN c.is_nullable = 1 THEN 1 ELSE 0 END
FROM sys.indexes i
JOIN sys.index_columns x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
JOIN sys.columns c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE i.object_id = @p1 AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
ORDER BY i.is_primary_key DESC, i.index_id, x.key_ordinal`
)

// Describe reads columns and key.
func (d *database) Describe(ctx context.Context, s *session, p *part) (t *table, err error) {
	var key []string
	err = s.aside(ctx, func() (err error) {
		if t, err = d.columns(ctx, s, p); err == nil {
			key, err = d.KeyOf(ctx, s, &p.Rel)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(t.Columns) == 0 {
		return nil, errTableGone
	}
	return p.WithKey(t, key, &d.set.tables, func(t *table) []int { return orderOfIDs(d.Profile, t) })
}

// columns reads the columns.
func (d *database) columns(ctx context.Context, s *session, p *part) (*table, error) {
	t, query, masked := &table{}, columnsQuery, []string(nil)
	if d.old {
		query = oldColumnsQuery
	}
	err := s.Each(ctx, query, []driver.Value{p.Rel.ID}, func(row []driver.Value) {
		typ := declaration{
			name: strings.ToLower(sqlread.TextOf(row[1])), length: sqlread.NumberOf(row[2]), precision: sqlread.NumberOf(row[3]), scale: sqlread.NumberOf(row[4]),
			collation: sqlread.TextOf(row[5]), encrypted: sqlread.NumberOf(row[6]) != 0, old: d.old,
		}
		c := column{Name: sqlread.TextOf(row[0]), Type: typ.columnType().Encoded(d.Compat)}
		if c.Type.Unknown != "" {
			d.Log.Debug("reading a column of an unknown type as bytes", "part", p.Name(), "column", c.Name, "type", c.Type.Unknown)
		}
		if sqlread.NumberOf(row[7]) != 0 {
			masked = append(masked, c.Name)
		}
		t.Columns = append(t.Columns, c)
	})
	if _, logged := d.masked.LoadOrStore(p.Scope(), true); len(masked) > 0 && !logged {
		d.Log.Warn("columns are masked for this user, so their real values are not read",
			"part", p.Scope(), "columns", strings.Join(masked, ", "), "grant", "GRANT UNMASK TO "+d.user()+";")
	}
	return t, err
}

// KeyOf finds the columns that identify the rows of a table; nil if there are none.
func (d *database) KeyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	var indexes sqlread.Indexes
	query := keysQuery
	if d.old {
		query = oldKeysQuery
	}
	err := s.Each(ctx, query, []driver.Value{rel.ID}, func(row []driver.Value) {
		indexes.Add(sqlread.TextOf(row[0]), row[1] == true, sqlread.TextOf(row[2]), sqlread.NumberOf(row[3]) != 0)
	})
	return indexes.Key(), err
}

// DeclaredKey returns the columns that the configuration names for a table.
func (d *database) DeclaredKey(r *relation) []string { return d.Declared(r.Shown, r.Name) }

// query reads all rows of the part after a position.
func query(p *part, t *table, at *sqlread.Position) (query string, args []driver.Value) {
	from := fromOf(&p.Rel)
	if p.Rel.Storage == fileTable {
		from += " WITH (READCOMMITTEDLOCK)"
	}
	condition, args := rowsAfter(t, at)
	return t.Select(quote, from, condition), args
}
