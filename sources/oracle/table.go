package oracle

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// What a table is here: its values come as the driver has them.
type (
	table      = sqlread.Table[driver.Value]
	column     = sqlread.Column[driver.Value]
	columnType = sqlread.Type[driver.Value]
)

const (
	// What * stands for, and invisible columns, but none that the server made for itself.
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

	// A constraint that is enabled may still hold for new rows only.
	keysQuery = `
SELECT c.constraint_name, c.constraint_type, cc.column_name,
       CASE WHEN tc.nullable = 'N' AND (tc.hidden_column = 'NO' OR tc.user_generated = 'YES') AND c.validated = 'VALIDATED' THEN 'Y' END
FROM all_constraints c
JOIN all_cons_columns cc ON cc.owner = c.owner AND cc.constraint_name = c.constraint_name
JOIN all_tab_cols tc ON tc.owner = cc.owner AND tc.table_name = cc.table_name AND tc.column_name = cc.column_name
WHERE c.owner = :1 AND c.table_name = :2 AND c.constraint_type IN ('P', 'U') AND c.status = 'ENABLED'
ORDER BY c.constraint_type, c.constraint_name, cc.position`
	oldKeysQuery = `
SELECT c.constraint_name, c.constraint_type, cc.column_name,
       CASE WHEN tc.nullable = 'N' AND tc.hidden_column = 'NO' AND c.validated = 'VALIDATED' THEN 'Y' END
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

	// Whether the server can write geometries as GeoJSON, which it can since 12.2.
	geometryQuery = `
SELECT COUNT(*)
FROM all_procedures
WHERE owner = 'MDSYS' AND object_name = 'SDO_UTIL' AND procedure_name = 'TO_GEOJSON'`
)

// describe asks for columns and key.
func (p *part) describe(ctx context.Context, s *session) (*table, error) {
	t := &table{}
	key, err := p.db.keyOf(ctx, s, &p.rel)
	if err != nil {
		return nil, err
	}
	of := []driver.Value{p.rel.owner, p.rel.name}
	err = p.db.ask(ctx, s, &p.db.questions.columns, of, func(row []driver.Value) {
		if sqlread.TextOf(row[6]) == "YES" && !slices.Contains(key, sqlread.TextOf(row[0])) {
			return // it is invisible, and * leaves it out
		}
		d := declaration{name: sqlread.TextOf(row[1]), owner: sqlread.TextOf(row[2]), precision: numberOf(row[3]), scale: numberOf(row[4]), scaled: row[4] != nil}
		c := column{Name: sqlread.TextOf(row[0]), Type: declaredType(d)}
		if collation := sqlread.TextOf(row[5]); collation != "" && collation != "USING_NLS_COMP" && collation != "BINARY" {
			c.Type.Bind = "" // it may sort by the rules of a language
		}
		t.Columns = append(t.Columns, c)
	})
	if err != nil {
		return nil, err
	}
	if err := p.settle(ctx, s, t); err != nil {
		return nil, err
	}
	if key == nil {
		err := p.configuredKey(t)
		return p.db.reduced(t), err
	}
	if err := t.SetKey(key); err != nil {
		return nil, err
	}
	return p.db.reduced(t), nil
}

// settle takes the encoding's form of the columns' types, and leaves out the columns that cannot be read.
func (p *part) settle(ctx context.Context, s *session, t *table) error {
	var kept []column
	for _, c := range t.Columns {
		if bare(c.Type.Declared) == geometry {
			able := false
			err := p.db.ask(ctx, s, &p.db.questions.geometry, nil, func(row []driver.Value) { able = numberOf(row[0]) > 0 })
			if err != nil {
				return err
			}
			if !able {
				c.Type.Value = nil
			}
		}
		c.Type = c.Type.Encoded(p.db.compat)
		switch {
		case c.Type.Value == nil:
			if p.firstTime(c) {
				p.db.log.Warn("a column of this type cannot be read, so it is left out", "part", p.Name(), "column", c.Name, "type", c.Type.Declared)
			}
			continue
		case c.Type.Unknown != "" && p.firstTime(c):
			p.db.log.Warn("a column of a type unknown here is read as text", "part", p.Name(), "column", c.Name, "type", c.Type.Declared)
		}
		kept = append(kept, c)
	}
	t.Columns = kept
	return nil
}

// firstTime reports whether nothing was said of a column yet.
func (p *part) firstTime(c column) bool {
	_, told := p.db.told.LoadOrStore(p.Name()+" "+quote.Ident(c.Name), true)
	return !told
}

// keyOf looks for the columns that tell the rows of a table apart; nil when there are none.
func (d *database) keyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	if !rel.isTable() {
		return nil, nil
	}
	var indexes sqlread.Indexes
	err := d.ask(ctx, s, &d.questions.keys, []driver.Value{rel.owner, rel.name}, func(row []driver.Value) {
		indexes.Add(sqlread.TextOf(row[0]), sqlread.TextOf(row[1]) == "P", sqlread.TextOf(row[2]), row[3] == nil)
	})
	return indexes.Key(), err
}

// declaredKey are the columns that the configuration names for a table: for its name as it is written, or else
// in capitals.
func (d *database) declaredKey(rel *relation) []string {
	names := []string{d.shown(rel), quote.Dotted(rel.owner, rel.name)}
	for _, name := range names {
		if columns, ok := d.idColumns[name]; ok {
			return columns
		}
	}
	for _, written := range slices.Sorted(maps.Keys(d.idColumns)) {
		if slices.Contains(names, strings.ToUpper(written)) {
			return d.idColumns[written]
		}
	}
	return nil
}

// configuredKey takes the key of a table that has none from the configuration.
func (p *part) configuredKey(t *table) (err error) {
	k := sqlread.Keyed{
		Part: p.Name(), What: p.rel.kind, IsTable: p.rel.isTable(),
		Entry: p.db.shown(&p.rel), Without: p.db.without(&p.rel), Columns: t.Names(),
	}
	t.Key, err = k.Key(p.db.declaredKey(&p.rel))
	return err
}

// without is the line of the configuration that leaves a table out.
func (d *database) without(rel *relation) string {
	owner := rel.owner
	if owner == d.set.owner {
		owner = ""
	}
	return d.set.tables.Without([2]string{owner, rel.name})
}

// from is the table as SQL takes it.
func (p *part) from() string { return quote.Table(p.rel.owner, p.rel.name) }

// reduced leaves out what no id needs, where ids are enough.
func (d *database) reduced(t *table) *table {
	if d.idsOnly {
		return t.Reduced()
	}
	return t
}

// query reads all rows of the part behind a position. It asks for no number of rows, for which old servers have no
// words: the driver takes them in turns.
func (p *part) query(t *table, m moment, at *sqlread.Position) (query string, args []driver.Value) {
	condition, args := behind(t, at)
	return t.Select(quote, p.from()+m.clause(), condition), args
}
