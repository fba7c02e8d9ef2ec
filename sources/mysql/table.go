package mysql

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	columnsQuery = `
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
ORDER BY ORDINAL_POSITION`

	// The primary key before other unique indexes, and of those the one with the fewest columns. An index
	// over a column prefix, or over an expression, identifies no rows.
	keysQuery = `
SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART IS NOT NULL OR s.COLUMN_NAME IS NULL OR s.NULLABLE = 'YES'
FROM information_schema.STATISTICS s
WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`

	// Every key of a system-versioned table ends with the end of a row's period, which is the same for all
	// current rows. If that column is visible, it has always been part of the ids.
	versionedKeysQuery = `
SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART IS NOT NULL OR s.COLUMN_NAME IS NULL OR s.NULLABLE = 'YES'
FROM information_schema.STATISTICS s
LEFT JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
  AND (COALESCE(c.GENERATION_EXPRESSION, '') <> 'ROW END' OR c.EXTRA NOT LIKE '%INVISIBLE%')
ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`
)

// Describe reads columns and key, in the transaction that reads the rows: its lock keeps them unchanged
// from here on.
func (d *database) Describe(ctx context.Context, s *session, p *part) (*table, error) {
	t := &table{}
	key, err := d.KeyOf(ctx, s, &p.Rel)
	if err != nil {
		return nil, err
	}
	if err := d.columns(ctx, s, &p.Rel, t, key); err != nil {
		return nil, err
	}
	t.Encode(d.Compat)
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Type.Unknown != "" {
			d.Log.Debug("reading a column of an unknown type as text", "part", p.Name(), "column", c.Name, "type", c.Type.Unknown)
		}
	}
	return p.WithKey(t, key, &d.set.tables, func(t *table) []int { return orderOfIDs(d.Profile, t, s.isMariaDB()) })
}

// columns reads the columns of *, which is refused if a column may not be read. Invisible columns, which
// * excludes, are read by name if they belong to the key: a server may add such a key to every table
// that was created without one.
func (d *database) columns(ctx context.Context, s *session, rel *relation, t *table, key []string) (err error) {
	if t.Columns, err = s.describe(ctx, "SELECT * FROM "+d.from(rel)+" LIMIT 0"); err != nil {
		return err
	}
	type declared struct{ name, typ, full string }
	var all []declared
	err = s.Each(ctx, columnsQuery, []driver.Value{d.set.database, rel.Name}, func(row []driver.Value) {
		all = append(all, declared{sqlread.TextOf(row[0]), sqlread.TextOf(row[1]), sqlread.TextOf(row[2])})
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(key, func(name string) bool { return t.Place(name) < 0 }) {
		var list []string
		for _, c := range all {
			if t.Place(c.name) >= 0 || sqlread.Place(key, c.name) >= 0 {
				list = append(list, quote.Ident(c.name))
			}
		}
		for _, name := range key { // some of which the server may refuse
			if !slices.ContainsFunc(all, func(c declared) bool { return strings.EqualFold(c.name, name) }) {
				list = append(list, quote.Ident(name))
			}
		}
		if t.Columns, err = s.describe(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+d.from(rel)+" LIMIT 0"); err != nil {
			return err
		}
	}
	for _, c := range all {
		if i := t.Place(c.name); i >= 0 {
			t.Columns[i].Type = declaredType(c.typ, c.full)
		}
	}
	return nil
}

// KeyOf finds the columns that identify the rows of a table; nil if there are none.
func (d *database) KeyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	var indexes sqlread.Indexes
	query := keysQuery
	if rel.History {
		query = versionedKeysQuery
	}
	err := s.Each(ctx, query, []driver.Value{d.set.database, rel.Name}, func(row []driver.Value) {
		name := sqlread.TextOf(row[0])
		indexes.Add(name, name == "PRIMARY", sqlread.TextOf(row[1]), sqlread.NumberOf(row[2]) != 0)
	})
	return indexes.Key(), err
}

// DeclaredKey returns the columns that the configuration names for a table.
func (d *database) DeclaredKey(r *relation) []string {
	return d.Declared(r.Name, quote.Dotted(d.set.database, r.Name))
}

// from is the table's name in SQL.
func (d *database) from(r *relation) string { return quote.Table(d.set.database, r.Name) }

// query reads all rows of the part after a position. InnoDB stores rows in the order of the primary key, so sorting by
// it costs nothing.
func (d *database) query(p *part, t *table, at *sqlread.Position) (query string, args []driver.Value) {
	within := ""
	if p.Range != nil {
		within = p.Range.Condition
	}
	condition, args := rowsAfter(t, at)
	return t.Select(quote, d.from(&p.Rel), within, condition), args
}
