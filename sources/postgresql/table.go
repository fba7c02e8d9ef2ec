package postgresql

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// table is how a table is read: its columns in their order and which of them tell its rows apart.
type table struct {
	columns []column
	key     []int // places in columns, in the order of the key
	// nullable reports that all columns of the key may be NULL in a row that is not left out.
	nullable bool
}

type column struct {
	name   string
	number uint16 // in the catalogue; 0 where a query computes it
	result uint32 // the type in the result of a query; 0 for a column of a table
	typ    columnType
}

const (
	columnsQuery = `
SELECT a.attname::text, a.attnum::int4, a.atttypid
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

	// The primary key before other unique indexes that tell all rows apart; columns that an index
	// merely includes are no part of a key.
	keyQuery = `
SELECT array_agg(a.attname::text ORDER BY k.place), array_agg(a.attnum::int4 ORDER BY k.place)
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary, i.indisreplident, i.indnkeyatts
HAVING bool_and(a.attnotnull)
ORDER BY i.indisprimary DESC, i.indisreplident DESC, i.indnkeyatts, i.indexrelid
LIMIT 1`
)

// describe asks for columns and key, in the transaction that reads the rows.
func (p *part) describe(ctx context.Context, conn *pgx.Conn, oid uint32) (*table, error) {
	if p.rule != nil {
		return p.describeQuery(ctx, conn)
	}
	t := &table{}
	var c column
	var types []uint32
	var typ uint32
	err := each(ctx, conn, columnsQuery, []any{oid}, []any{&c.name, &c.number, &typ}, func() {
		t.columns = append(t.columns, c)
		types = append(types, typ)
	})
	if err != nil {
		return nil, p.tableError("list the columns", err)
	}
	if err := p.describeTypes(ctx, conn, t, types); err != nil {
		return nil, err
	}
	var key []string
	err = conn.QueryRow(ctx, keyQuery, oid).Scan(&key, nil)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		err = p.configuredKey(t)
		return p.reduced(t), err
	case err != nil:
		return nil, p.tableError("look the key up", err)
	}
	for _, name := range key {
		t.key = append(t.key, t.place(name))
	}
	return p.reduced(t), nil
}

// reduced leaves out what no id needs, where ids are enough.
func (p *part) reduced(t *table) *table {
	if !p.db.idsOnly || len(t.key) == 0 {
		return t
	}
	small := &table{nullable: t.nullable}
	var left []int
	left, small.key, _ = sqlread.Needed(t.key, nil)
	for _, i := range left {
		small.columns = append(small.columns, t.columns[i])
	}
	return small
}

// describeTypes tells how the columns are read, whose types are given.
func (p *part) describeTypes(ctx context.Context, conn *pgx.Conn, t *table, types []uint32) error {
	known, err := lookUpTypes(ctx, conn, types)
	if err != nil {
		return p.tableError("look the columns' types up", err)
	}
	for i := range t.columns {
		t.columns[i].typ = known.column(types[i]).encoded(p.db.compat)
		if t.columns[i].typ.unknown != "" {
			p.db.log.Debug("a column of a type unknown here is read as text",
				"part", p.Name(), "column", t.columns[i].name, "type", t.columns[i].typ.unknown)
		}
	}
	return nil
}

// place finds a column by its name; one that differs in letter case alone where no other is there.
func (t *table) place(name string) int { return sqlread.Place(t.names(), name) }

// declaredKey are the columns that the configuration names for a table.
func (d *database) declaredKey(scope, table string) []string {
	if names, ok := d.idColumns[scope]; ok {
		return names
	}
	return d.idColumns[table]
}

// configuredKey takes the key of a table that has none from the configuration.
func (p *part) configuredKey(t *table) (err error) {
	k := sqlread.Keyed{
		Part: p.Name(), What: p.rel.what(), IsTable: p.rel.isTable(),
		Entry: p.scope, Without: p.db.set.tables.Without([2]string{p.rel.schema, p.rel.name}), Columns: t.names(),
	}
	t.nullable = true
	t.key, err = k.Key(p.db.declaredKey(p.scope, p.rel.name))
	return err
}

// query reads all rows of the part behind a position. It names the columns, so that one that is added meanwhile
// changes nothing. The columns of the position come last, and in binary form; formats is nil without.
func (t *table) query(p *part, at *position) (query string, formats []int16) {
	if p.rule != nil {
		return p.rule.Query, nil
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteIdent(c.name))
		if c.typ.cast != "" {
			b.WriteString("::" + c.typ.cast)
		}
	}
	for _, name := range at.columns() {
		if formats == nil {
			formats = make([]int16, len(t.columns), len(t.columns)+2)
		}
		b.WriteString(", " + name)
		formats = append(formats, pgx.BinaryFormatCode)
	}
	b.WriteString(" FROM ")
	if p.only {
		b.WriteString("ONLY ")
	}
	b.WriteString(quoteTable(p.rel.schema, p.rel.name))
	joint := " WHERE "
	for _, condition := range []string{p.blocks.condition(), at.condition()} {
		if condition != "" {
			b.WriteString(joint + condition)
			joint = " AND "
		}
	}
	return b.String(), formats
}
