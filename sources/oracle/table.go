package oracle

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// table is how a table is read: its columns in their order and which of them tell its rows apart.
type table struct {
	columns []column
	key     []int // places in columns, in the order of the key
	// sorted reports whether the rows are read in the order of the key, so that reading can go on behind
	// one.
	sorted bool
}

type column struct {
	name string
	typ  columnType
}

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
		c := column{name: sqlread.TextOf(row[0]), typ: declaredType(d)}
		if collation := sqlread.TextOf(row[5]); collation != "" && collation != "USING_NLS_COMP" && collation != "BINARY" {
			c.typ.bind = "" // it may sort by the rules of a language
		}
		t.columns = append(t.columns, c)
	})
	if err != nil {
		return nil, err
	}
	if err := p.settle(ctx, s, t); err != nil {
		return nil, err
	}
	if key == nil {
		err := p.configuredKey(t)
		return p.reduced(t), err
	}
	for _, name := range key {
		t.key = append(t.key, slices.Index(t.names(), name))
	}
	if slices.Contains(t.key, -1) {
		return nil, errTableChanged
	}
	t.sorted = !slices.ContainsFunc(t.key, func(k int) bool { return t.columns[k].typ.bind == "" })
	return p.reduced(t), nil
}

// settle takes the encoding's form of the columns' types, and leaves out the columns that cannot be read.
func (p *part) settle(ctx context.Context, s *session, t *table) error {
	var kept []column
	for _, c := range t.columns {
		if c.typ.geometry {
			able := false
			err := p.db.ask(ctx, s, &p.db.questions.geometry, nil, func(row []driver.Value) { able = numberOf(row[0]) > 0 })
			if err != nil {
				return err
			}
			if !able {
				c.typ.omitted = true
			}
		}
		c.typ = c.typ.encoded(p.db.compat)
		switch {
		case c.typ.omitted:
			if p.firstTime(c) {
				p.db.log.Warn("a column of this type cannot be read, so it is left out", "part", p.Name(), "column", c.name, "type", c.typ.declared)
			}
			continue
		case c.typ.unknown && p.firstTime(c):
			p.db.log.Warn("a column of a type unknown here is read as text", "part", p.Name(), "column", c.name, "type", c.typ.declared)
		}
		kept = append(kept, c)
	}
	t.columns = kept
	return nil
}

// firstTime reports whether nothing was said of a column yet.
func (p *part) firstTime(c column) bool {
	_, told := p.db.told.LoadOrStore(p.Name()+" "+quote.Ident(c.name), true)
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

// reduced leaves out what no id needs, where ids are enough.
func (p *part) reduced(t *table) *table {
	if !p.db.idsOnly || len(t.key) == 0 {
		return t
	}
	small := &table{sorted: t.sorted}
	var left []int
	left, small.key, _ = sqlread.Needed(t.key, nil)
	for _, i := range left {
		small.columns = append(small.columns, t.columns[i])
	}
	return small
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
		Entry: p.db.shown(&p.rel), Without: p.db.without(&p.rel), Columns: t.names(),
	}
	t.key, err = k.Key(p.db.declaredKey(&p.rel))
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

func (t *table) names() (names []string) {
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

// from is the table as SQL takes it.
func (p *part) from() string { return quote.Table(p.rel.owner, p.rel.name) }

// list is the columns as they are selected.
func (t *table) list() string {
	var b strings.Builder
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.typ.selected(quote.Ident(c.name)))
	}
	return b.String()
}

// query reads all rows of the part behind a position. It names the columns, so that none comes twice or
// in another order. It asks for no number of rows, for which old servers have no words: the driver takes
// them in turns.
func (t *table) query(p *part, m moment, at *position) (query string, args []driver.Value) {
	var b strings.Builder
	b.WriteString("SELECT " + t.list() + " FROM " + p.from() + m.clause())
	behind, args := at.condition(t)
	if behind != "" {
		b.WriteString(" WHERE " + behind)
	}
	if t.sorted {
		for i, k := range t.key {
			joint := ", "
			if i == 0 {
				joint = " ORDER BY "
			}
			b.WriteString(joint + quote.Ident(t.columns[k].name))
		}
	}
	return b.String(), args
}
