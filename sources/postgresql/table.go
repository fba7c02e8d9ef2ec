package postgresql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// table is how a table is read: its columns in their order and which of them tell its rows apart.
type table struct {
	columns []column
	key     []int // places in columns, in the order of the key
}

type column struct {
	name   string
	number uint16 // in the catalogue
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
SELECT array_agg(a.attname::text ORDER BY k.place)
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
	known, err := lookUpTypes(ctx, conn, types)
	if err != nil {
		return nil, p.tableError("look the columns' types up", err)
	}
	for i := range t.columns {
		t.columns[i].typ = known.column(types[i]).encoded(p.db.compat)
		if t.columns[i].typ.unknown != "" {
			p.db.log.Debug("a column of a type unknown here is read as text",
				"part", p.scope, "column", t.columns[i].name, "type", t.columns[i].typ.unknown)
		}
	}
	var key []string
	err = conn.QueryRow(ctx, keyQuery, oid).Scan(&key)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return t, p.configuredKey(t)
	case err != nil:
		return nil, p.tableError("look the key up", err)
	}
	for _, name := range key {
		t.key = append(t.key, t.place(name))
	}
	return t, nil
}

func (t *table) place(name string) int {
	return slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
}

// configuredKey takes the key of a table that has none from the configuration.
func (p *part) configuredKey(t *table) error {
	names, ok := p.db.idColumns[p.scope]
	if !ok {
		names, ok = p.db.idColumns[p.rel.name]
	}
	if !ok || len(names) == 0 {
		return &source.Error{
			Kind: source.ErrConfig, Part: p.scope,
			Err: errors.New(p.keyless()),
			Hint: fmt.Sprintf("name columns that tell its rows apart with id_columns: {%q: [%s]}, or leave it out with %s",
				p.scope, t.someColumn(), p.db.set.tables.without(p.rel.schema, p.rel.name)),
		}
	}
	for _, name := range names {
		i := t.place(name)
		if i < 0 {
			i = slices.IndexFunc(t.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
		}
		if i < 0 {
			return &source.Error{
				Kind: source.ErrConfig, Part: p.scope,
				Err:  fmt.Errorf("the %s has no column %q", p.rel.what(), name),
				Hint: fmt.Sprintf("correct id_columns: of %s", p.scope),
			}
		}
		t.key = append(t.key, i)
	}
	return nil
}

// keyless says why there is no key.
func (p *part) keyless() string {
	if !p.rel.isTable() {
		return "a " + p.rel.what() + " has no key, so its rows cannot be told apart"
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

// query reads all rows behind a position. It names the columns, so that one that is added meanwhile
// changes nothing. The columns of the position come last, and in binary form; formats is nil without.
func (t *table) query(p *part, at *position) (query string, formats []int16) {
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
	b.WriteString(quoteTable(p.rel.schema, p.rel.name) + at.where())
	return b.String(), formats
}
