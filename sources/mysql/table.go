package mysql

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// table is how a table is read: its columns in their order and which of them tell its rows apart.
type table struct {
	columns []column
	key     []int // places in columns, in the order of the key
	inID    []int // the same in the order in which an id has them
	// sorted reports whether the rows are read in the order of the key, so that reading can go on behind
	// one.
	sorted bool
	// nullable reports that all columns of the key may be NULL in a row that is not left out.
	nullable bool
}

type column struct {
	name string
	typ  columnType
}

const (
	columnsQuery = `
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
ORDER BY ORDINAL_POSITION`

	// The primary key before other unique indexes, and of these the one with the fewest columns. An index
	// over a part of a column, or over an expression, tells no rows apart.
	keysQuery = `
SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART IS NOT NULL OR s.COLUMN_NAME IS NULL OR s.NULLABLE = 'YES'
FROM information_schema.STATISTICS s
WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`

	// Every key of a table with versions ends with the end of a row's period, which is the same for all
	// rows as they are now. Where people see that column, it has always been a part of the ids.
	versionedKeysQuery = `
SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART IS NOT NULL OR s.COLUMN_NAME IS NULL OR s.NULLABLE = 'YES'
FROM information_schema.STATISTICS s
LEFT JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
  AND (COALESCE(c.GENERATION_EXPRESSION, '') <> 'ROW END' OR c.EXTRA NOT LIKE '%INVISIBLE%')
ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`
)

// describe asks for columns and key, in the transaction that reads the rows: its lock keeps them as they
// are from here on.
func (p *part) describe(ctx context.Context, s *session) (*table, error) {
	t := &table{}
	key, err := p.db.keyOf(ctx, s, &p.rel)
	if err != nil {
		return nil, err
	}
	if err := p.columns(ctx, s, t, key); err != nil {
		return nil, err
	}
	for i := range t.columns {
		c := &t.columns[i]
		c.typ = c.typ.encoded(p.db.compat)
		if c.typ.unknown != "" {
			p.db.log.Debug("a column of a type unknown here is read as text", "part", p.Name(), "column", c.name, "type", c.typ.unknown)
		}
	}
	if key == nil {
		err := p.configuredKey(t)
		t.inID = t.key
		return p.reduced(t), err
	}
	for _, name := range key {
		t.key = append(t.key, t.place(name))
	}
	if slices.Contains(t.key, -1) {
		return nil, errTableChanged
	}
	t.inID = orderOfIDs(p.db.profile, t, s.isMariaDB())
	t.sorted = p.rel.isTable() && !slices.ContainsFunc(t.key, func(k int) bool { return t.columns[k].typ.bind == "" })
	return p.reduced(t), nil
}

// columns asks what * stands for, which is refused where a column may not be read. Invisible columns, which
// it leaves out, are asked for by name where the key has them: a server may add such a key to every table
// that was created without one.
func (p *part) columns(ctx context.Context, s *session, t *table, key []string) (err error) {
	if t.columns, err = s.describe(ctx, "SELECT * FROM "+p.from()+" LIMIT 0"); err != nil {
		return err
	}
	type declared struct{ name, typ, full string }
	var all []declared
	err = s.Each(ctx, columnsQuery, []driver.Value{p.db.set.database, p.rel.name}, func(row []driver.Value) {
		all = append(all, declared{sqlread.TextOf(row[0]), sqlread.TextOf(row[1]), sqlread.TextOf(row[2])})
	})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(key, func(name string) bool { return t.place(name) < 0 }) {
		var list []string
		for _, c := range all {
			if t.place(c.name) >= 0 || sqlread.Place(key, c.name) >= 0 {
				list = append(list, quote.Ident(c.name))
			}
		}
		for _, name := range key { // which the server refuses by name
			if !slices.ContainsFunc(all, func(c declared) bool { return strings.EqualFold(c.name, name) }) {
				list = append(list, quote.Ident(name))
			}
		}
		if t.columns, err = s.describe(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+p.from()+" LIMIT 0"); err != nil {
			return err
		}
	}
	for _, c := range all {
		if i := t.place(c.name); i >= 0 {
			t.columns[i].typ = declaredType(c.typ, c.full)
		}
	}
	return nil
}

// keyOf looks for the columns that tell the rows of a table apart; nil when there are none.
func (d *database) keyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	var indexes sqlread.Indexes
	query := keysQuery
	if rel.versioned {
		query = versionedKeysQuery
	}
	err := s.Each(ctx, query, []driver.Value{d.set.database, rel.name}, func(row []driver.Value) {
		name := sqlread.TextOf(row[0])
		indexes.Add(name, name == "PRIMARY", sqlread.TextOf(row[1]), sqlread.NumberOf(row[2]) != 0)
	})
	return indexes.Key(), err
}

// reduced leaves out what no id needs, where ids are enough.
func (p *part) reduced(t *table) *table {
	if !p.db.idsOnly || len(t.key) == 0 {
		return t
	}
	small := &table{sorted: t.sorted, nullable: t.nullable}
	var left []int
	left, small.key, small.inID = sqlread.Needed(t.key, t.inID)
	for _, i := range left {
		small.columns = append(small.columns, t.columns[i])
	}
	return small
}

// place finds a column. MySQL's names of columns have no letter case, which matters only where a person
// wrote one.
func (t *table) place(name string) int { return sqlread.Place(t.names(), name) }

// declaredKey are the columns that the configuration names for a table.
func (d *database) declaredKey(table string) []string {
	if names, ok := d.idColumns[table]; ok {
		return names
	}
	return d.idColumns[quote.Dotted(d.set.database, table)]
}

// configuredKey takes the key of a table that has none from the configuration.
func (p *part) configuredKey(t *table) (err error) {
	k := sqlread.Keyed{
		Part: p.Name(), What: p.rel.what(), IsTable: p.rel.isTable(),
		Entry: p.rel.name, Without: p.db.set.tables.Without([2]string{"", p.rel.name}), Columns: t.names(),
	}
	t.nullable = true
	t.key, err = k.Key(p.db.declaredKey(p.rel.name))
	return err
}

func (t *table) names() (names []string) {
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

// from is the table as SQL takes it.
func (p *part) from() string { return quote.Table(p.db.set.database, p.rel.name) }

// query reads all rows of the part behind a position. It names the columns, so that none comes twice or
// in another order. Rows of InnoDB lie in the order of the primary key, so that to ask for it costs
// nothing.
func (t *table) query(p *part, at *position) (query string, args []driver.Value) {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote.Ident(c.name))
	}
	b.WriteString(" FROM " + p.from())
	behind, args := at.condition(t)
	joint := " WHERE "
	for _, condition := range []string{p.span.condition(), behind} {
		if condition != "" {
			b.WriteString(joint + condition)
			joint = " AND "
		}
	}
	if t.sorted {
		for i, k := range t.key {
			joint = ", "
			if i == 0 {
				joint = " ORDER BY "
			}
			b.WriteString(joint + quote.Ident(t.columns[k].name))
		}
	}
	return b.String(), args
}
