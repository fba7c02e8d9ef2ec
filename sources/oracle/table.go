package oracle

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	// The columns of *, and invisible columns, but none that the server created for itself.
	columnsQuery = `
SELECT column_name, data_type, data_type_owner, data_precision, data_scale, collation, hidden_column
FROM all_tab_cols
WHERE owner = :1 AND table_name = :2 AND (hidden_column = 'NO' OR user_generated = 'YES')
ORDER BY column_id`
	oldColumnsQuery = `
SELECT column_name, data_type, data_type_owner, data_precision, data_scale, NULL, 'NO'
FROM all_tab_cols
WHERE owner = :1 AND table_name = :2 AND hidden_column = 'NO'
ORDER BY column_id`
	fewColumnsQuery = `
SELECT column_name, data_type, NULL, data_precision, data_scale, NULL, 'NO'
FROM all_tab_columns
WHERE owner = :1 AND table_name = :2
ORDER BY column_id`

	// An enabled constraint may still apply only to new rows.
	keysQuery    = keysUntilHidden + `(tc.hidden_column = 'NO' OR tc.user_generated = 'YES')` + keysAfterHidden
	oldKeysQuery = keysUntilHidden + `tc.hidden_column = 'NO'` + keysAfterHidden

	keysUntilHidden = `
SELECT c.constraint_name, c.constraint_type, cc.column_name,
       CASE WHEN tc.nullable = 'N' AND `
	keysAfterHidden = ` AND c.validated = 'VALIDATED' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_cols tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U') AND c.status = 'ENABLED'
ORDER BY c.constraint_type, c.constraint_name, cc.position`
	fewKeysQuery = `
SELECT c.constraint_name, c.constraint_type, cc.column_name, CASE WHEN tc.nullable = 'N' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_columns tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U')
ORDER BY c.constraint_type, c.constraint_name, cc.position`

	// Whether the server can write geometries as GeoJSON, which is possible since 12.2.
	geometryQuery = `
SELECT COUNT(*)
FROM all_procedures
WHERE owner = 'MDSYS' AND object_name = 'SDO_UTIL' AND procedure_name = 'TO_GEOJSON'`
)

// Describe reads columns and key. The catalog is read within the transaction, unless that has become too old:
// then in another one.
func (d *database) Describe(ctx context.Context, s *session, p *part) (t *table, err error) {
	t, err = d.describe(ctx, s, p)
	if outdated(err) {
		s.AfterRun = true
		if err = s.begin(ctx); err == nil {
			t, err = d.describe(ctx, s, p)
		}
	}
	return t, err
}

func (d *database) describe(ctx context.Context, s *session, p *part) (*table, error) {
	t := &table{}
	key, err := d.KeyOf(ctx, s, &p.Rel)
	if err != nil {
		return nil, err
	}
	of := []driver.Value{p.Rel.Schema, p.Rel.Name}
	err = d.ask(ctx, s, &d.questions.columns, of, func(row []driver.Value) {
		if sqlread.TextOf(row[6]) == "YES" && !slices.Contains(key, sqlread.TextOf(row[0])) {
			return // it is invisible, and * excludes it
		}
		typ := declaration{name: sqlread.TextOf(row[1]), owner: sqlread.TextOf(row[2]), precision: numberOf(row[3]), scale: numberOf(row[4]), scaled: row[4] != nil}
		c := column{Name: sqlread.TextOf(row[0]), Type: declaredType(typ)}
		if collation := sqlread.TextOf(row[5]); collation != "" && collation != "USING_NLS_COMP" && collation != "BINARY" {
			c.Type.Bind = "" // it may be sorted by the rules of a language
		}
		t.Columns = append(t.Columns, c)
	})
	if err != nil {
		return nil, err
	}
	if err := d.settle(ctx, s, p, t); err != nil {
		return nil, err
	}
	return p.WithKey(t, key, &d.set.tables, nil)
}

// settle sets the encoding of the columns' types, and removes the columns that cannot be read.
func (d *database) settle(ctx context.Context, s *session, p *part, t *table) error {
	var kept []column
	for _, c := range t.Columns {
		if bare(c.Type.Declared) == geometry {
			able := false
			err := d.ask(ctx, s, &d.questions.geometry, nil, func(row []driver.Value) { able = numberOf(row[0]) > 0 })
			if err != nil {
				return err
			}
			if !able {
				c.Type.Value = nil
			}
		}
		c.Type = c.Type.Encoded(d.Compat)
		switch {
		case c.Type.Value == nil:
			if d.firstTime(p, c) {
				d.Log.Warn("skipping a column whose type cannot be read", "part", p.Name(), "column", c.Name, "type", c.Type.Declared)
			}
			continue
		case c.Type.Unknown != "" && d.firstTime(p, c):
			d.Log.Warn("reading a column of an unknown type as text", "part", p.Name(), "column", c.Name, "type", c.Type.Declared)
		}
		kept = append(kept, c)
	}
	t.Columns = kept
	return nil
}

// firstTime reports whether no message about a column was logged yet.
func (d *database) firstTime(p *part, c column) bool {
	_, logged := d.logged.LoadOrStore(p.Name()+" "+quote.Ident(c.Name), true)
	return !logged
}

// KeyOf finds the columns that identify the rows of a table; nil if there are none.
func (d *database) KeyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	if !rel.IsTable() {
		return nil, nil
	}
	var indexes sqlread.Indexes
	err := d.ask(ctx, s, &d.questions.keys, []driver.Value{rel.Schema, rel.Name}, func(row []driver.Value) {
		indexes.Add(sqlread.TextOf(row[0]), sqlread.TextOf(row[1]) == "P", sqlread.TextOf(row[2]), row[3] == nil)
	})
	return indexes.Key(), err
}

// DeclaredKey returns the columns that the configuration names for a table: for its name as written, or else
// in capitals.
func (d *database) DeclaredKey(r *relation) []string {
	names := []string{r.Shown, quote.Dotted(r.Schema, r.Name)}
	if columns := d.Declared(names...); columns != nil {
		return columns
	}
	for _, written := range slices.Sorted(maps.Keys(d.IDColumns)) {
		if slices.Contains(names, strings.ToUpper(written)) {
			return d.IDColumns[written]
		}
	}
	return nil
}

// fromOf is the table's name in SQL.
func fromOf(r *relation) string { return quote.Table(r.Schema, r.Name) }

// query reads all rows of the part after a position. It sets no row limit, because old servers have no syntax
// for one: the driver fetches rows in batches.
func query(p *part, t *table, m moment, at *sqlread.Position) (query string, args []driver.Value) {
	condition, args := rowsAfter(t, at)
	return t.Select(quote, fromOf(&p.Rel)+m.clause(), condition), args
}
