package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// table is how a table is read: its columns in their order and which of them tell its rows apart.
type table struct {
	columns []column
	key     []int // places in columns, in the order of the key
	inID    []int // the same in the order in which an id has them
	// sorted reports whether the rows are read in the order of the key, so that reading can go on behind
	// one.
	sorted bool
}

type column struct {
	name string
	typ  columnType
}

const (
	columnsQuery = `
SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`

	// The primary key before other unique indexes, and of these the one with the fewest columns. An index
	// over a part of a column, or over an expression, tells no rows apart.
	keysQuery = `
SELECT s.INDEX_NAME, s.COLUMN_NAME, s.SUB_PART IS NOT NULL OR s.COLUMN_NAME IS NULL OR s.NULLABLE = 'YES'
FROM information_schema.STATISTICS s
WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ? AND s.NON_UNIQUE = 0
ORDER BY s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`
)

// describe asks for columns and key, in the transaction that reads the rows: its lock keeps them as they
// are from here on.
func (p *part) describe(ctx context.Context, s *session) (*table, error) {
	t := &table{}
	var err error
	// What * stands for leaves invisible columns out, and is refused where a column may not be read.
	if t.columns, err = s.describe(ctx, "SELECT * FROM "+p.from()+" LIMIT 0"); err != nil {
		return nil, err
	}
	err = s.each(ctx, columnsQuery, []driver.Value{p.db.set.database, p.rel.name}, func(row []driver.Value) {
		if i := t.place(text(row[0])); i >= 0 {
			t.columns[i].typ = declaredType(text(row[1]), text(row[2]))
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range t.columns {
		c := &t.columns[i]
		c.typ = c.typ.encoded(p.db.compat)
		if c.typ.unknown != "" {
			p.db.log.Debug("a column of a type unknown here is read as text", "part", p.Name(), "column", c.name, "type", c.typ.unknown)
		}
	}
	key, err := p.db.keyOf(ctx, s, &p.rel)
	if err != nil {
		return nil, err
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
	t.inID = p.db.profile.orderOfIDs(t, s.isMariaDB())
	t.sorted = p.rel.isTable() && !slices.ContainsFunc(t.key, func(k int) bool { return t.columns[k].typ.bind == "" })
	return p.reduced(t), nil
}

// keyOf looks for the columns that tell the rows of a table apart; nil when there are none.
func (d *database) keyOf(ctx context.Context, s *session, rel *relation) ([]string, error) {
	type index struct {
		name    string
		columns []string
		useless bool
	}
	var indexes []index
	err := s.each(ctx, keysQuery, []driver.Value{d.set.database, rel.name}, func(row []driver.Value) {
		if name := text(row[0]); len(indexes) == 0 || indexes[len(indexes)-1].name != name {
			indexes = append(indexes, index{name: name})
		}
		i := &indexes[len(indexes)-1]
		i.columns = append(i.columns, text(row[1]))
		i.useless = i.useless || number(row[2]) != 0
	})
	var best []string
	for _, i := range indexes {
		switch {
		case i.useless:
		case i.name == "PRIMARY":
			return i.columns, err
		case best == nil || len(i.columns) < len(best):
			best = i.columns
		}
	}
	return best, err
}

// reduced leaves out what no id needs, where ids are enough.
func (p *part) reduced(t *table) *table {
	if !p.db.idsOnly || len(t.key) == 0 {
		return t
	}
	small := &table{sorted: t.sorted}
	place := map[int]int{}
	for i, c := range t.columns {
		if slices.Contains(t.key, i) {
			place[i] = len(small.columns)
			small.columns = append(small.columns, c)
		}
	}
	for _, k := range t.key {
		small.key = append(small.key, place[k])
	}
	for _, k := range t.inID {
		small.inID = append(small.inID, place[k])
	}
	return small
}

// place finds a column. MySQL's names of columns have no letter case, which matters only where a person
// wrote one.
func (t *table) place(name string) int {
	if i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(t.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
}

// declaredKey are the columns that the configuration names for a table.
func (d *database) declaredKey(table string) []string {
	if names, ok := d.idColumns[table]; ok {
		return names
	}
	return d.idColumns[quote.Dotted(d.set.database, table)]
}

// configuredKey takes the key of a table that has none from the configuration.
func (p *part) configuredKey(t *table) error {
	names := p.db.declaredKey(p.rel.name)
	if len(names) == 0 {
		return &source.Error{
			Kind: source.ErrConfig, Part: p.Name(),
			Err: errors.New(p.keyless()),
			Hint: fmt.Sprintf("name columns that tell its rows apart with id_columns: {%q: [%s]}, or leave it out with %s",
				p.rel.name, t.someColumn(), p.db.set.tables.Without("", p.rel.name)),
		}
	}
	for _, name := range names {
		i := t.place(name)
		if i < 0 {
			return &source.Error{
				Kind: source.ErrConfig, Part: p.Name(),
				Err:  fmt.Errorf("the %s has no column %q", p.rel.what(), name),
				Hint: fmt.Sprintf("correct id_columns: of %s", p.rel.name),
			}
		}
		t.addKey(i)
	}
	return nil
}

func (t *table) addKey(i int) {
	if !slices.Contains(t.key, i) {
		t.key = append(t.key, i)
	}
}

// keyless says why there is no key.
func (p *part) keyless() string {
	if !p.rel.isTable() {
		return "a view has no key, so its rows cannot be told apart"
	}
	return "the table has neither a primary key nor a unique index over columns that are NOT NULL, so its rows cannot be told apart"
}

// someColumn is a column to name in an example.
func (t *table) someColumn() string {
	if len(t.columns) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", t.columns[0].name)
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
