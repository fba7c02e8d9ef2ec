package postgresql

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	columnsQuery = `
SELECT a.attname::text, a.attnum::int4, a.atttypid
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

	// The primary key before other unique indexes that identify all rows; columns that an index
	// merely includes do not belong to a key.
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

// describe reads columns and key, in the transaction that reads the rows.
func (p *part) describe(ctx context.Context, conn *pgx.Conn, oid uint32) (*table, error) {
	if p.Rule != nil {
		return p.describeQuery(ctx, conn)
	}
	t := &table{}
	var c column
	var types []uint32
	var typ uint32
	err := each(ctx, conn, columnsQuery, []any{oid}, []any{&c.Name, &c.Number, &typ}, func() {
		t.Columns = append(t.Columns, c)
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
		err = t.SetDeclaredKey(p.Name(), &p.Rel, &p.db.set.tables, p.db.declaredKey(&p.Rel))
		return sqlread.Reduced(&p.db.Config, t), err
	case err != nil:
		return nil, p.tableError("look up the key", err)
	}
	for _, name := range key {
		t.Key = append(t.Key, t.Place(name))
	}
	return sqlread.Reduced(&p.db.Config, t), nil
}

// describeTypes sets how to read the columns with the given types.
func (p *part) describeTypes(ctx context.Context, conn *pgx.Conn, t *table, types []uint32) error {
	known, err := lookUpTypes(ctx, conn, types)
	if err != nil {
		return p.tableError("look up the column types", err)
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type = known.column(types[i]).Encoded(p.db.Compat); c.Type.Unknown != "" {
			p.db.Log.Debug("reading a column of an unknown type as text", "part", p.Name(), "column", c.Name, "type", c.Type.Unknown)
		}
	}
	return nil
}

// declaredKey returns the columns that the configuration names for a table.
func (d *database) declaredKey(r *relation) []string { return d.Declared(r.Shown, r.Name) }

// query reads all rows of the part after a position. The columns of the position come last, and in binary form;
// formats is nil without them.
func (p *part) query(t *table, at *position) (query string, formats []int16) {
	if p.Rule != nil {
		return p.Rule.Query, nil
	}
	var b strings.Builder
	b.WriteString("SELECT " + t.List(quote))
	for _, name := range at.columns() {
		if formats == nil {
			formats = make([]int16, len(t.Columns), len(t.Columns)+2)
		}
		b.WriteString(", " + name)
		formats = append(formats, pgx.BinaryFormatCode)
	}
	b.WriteString(" FROM ")
	if p.only {
		b.WriteString("ONLY ")
	}
	b.WriteString(quote.Table(p.Rel.Schema, p.Rel.Name))
	joint := " WHERE "
	for _, condition := range []string{p.blocks.condition(), at.condition()} {
		if condition != "" {
			b.WriteString(joint + condition)
			joint = " AND "
		}
	}
	return b.String(), formats
}
