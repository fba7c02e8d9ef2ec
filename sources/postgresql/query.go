package postgresql

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// computed is the number of a column that does not belong to a table.
const computed = -1

// resultType is the name of a result's type.
func resultType(oid uint32) string { return strconv.FormatUint(uint64(oid), 10) }

// describeQuery reads the columns of a rule's query, without running it, and finds its key.
func (p *part) describeQuery(ctx context.Context, conn *pgx.Conn) (*table, error) {
	described, err := conn.PgConn().Prepare(ctx, "", p.Rule.Query, nil)
	if err != nil {
		return nil, p.tableError("look up the columns of the query", err)
	}
	if len(described.ParamOIDs) > 0 {
		return nil, p.queryError(errors.New("the query has a parameter, $1"), "write the value into the query")
	}
	t := &table{}
	var types []uint32
	for _, f := range described.Fields {
		t.Columns = append(t.Columns, column{Name: f.Name, Number: cmp.Or(int(f.TableAttributeNumber), computed)})
		types = append(types, f.DataTypeOID)
	}
	if err := p.describeTypes(ctx, conn, t, types); err != nil {
		return nil, err
	}
	for i := range t.Columns {
		typ := &t.Columns[i].Type
		if typ.From != "" {
			*typ = uncast(*typ)
		}
		typ.Declared = resultType(types[i])
	}
	return t, p.queryKey(ctx, conn, t, described.Fields)
}

// answers reports whether the fields are those of the columns. The catalog is as old as the
// snapshot, but a name in a statement refers to the current table.
func answers(t *table, fields []pgconn.FieldDescription) bool {
	for i := range t.Columns {
		c := &t.Columns[i]
		switch {
		case i >= len(fields):
			return false
		case c.Type.Declared != "" && (fields[i].Name != c.Name || resultType(fields[i].DataTypeOID) != c.Type.Declared):
			return false
		case fields[i].TableAttributeNumber != 0 && int(fields[i].TableAttributeNumber) != c.Number:
			return false
		}
	}
	return true
}

// queryKey finds the columns that identify the rows of a rule: those that it names, or else the keys of
// its tables, one after the other.
func (p *part) queryKey(ctx context.Context, conn *pgx.Conn, t *table, fields []pgconn.FieldDescription) error {
	var key []sqlread.KeyColumn
	for _, name := range p.Rule.IDColumns {
		key = append(key, sqlread.KeyColumn{Name: name})
	}
	if len(key) > 0 {
		places, err := sqlread.PlaceKey(p.Name(), t.Names(), key)
		t.Key = places
		return err
	}
	for i := range p.Rule.Tables {
		rel := &p.Rule.Tables[i]
		names, numbers, err := p.keyOf(ctx, conn, rel)
		if err != nil {
			return err
		}
		for n, name := range names {
			// A column that comes from the key itself is recognized under any name.
			i := slices.IndexFunc(fields, func(f pgconn.FieldDescription) bool {
				return n < len(numbers) && f.TableOID == oidOf(rel) && f.TableAttributeNumber == numbers[n]
			})
			if i < 0 {
				column := sqlread.KeyColumn{Name: name, Table: rel.Shown}
				places, err := sqlread.PlaceKey(p.Name(), t.Names(), []sqlread.KeyColumn{column})
				if err != nil {
					return err
				}
				i = places[0]
			}
			if !slices.Contains(t.Key, i) {
				t.Key = append(t.Key, i)
			}
		}
	}
	return nil
}

// keyOf is the key of a rule's table: its own, or the one that the connector declares.
func (p *part) keyOf(ctx context.Context, conn *pgx.Conn, rel *relation) (names []string, numbers []uint16, err error) {
	err = conn.QueryRow(ctx, keyQuery, oidOf(rel)).Scan(&names, &numbers)
	switch {
	case err == nil:
		return names, numbers, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return nil, nil, p.tableError("look up the key", err)
	}
	if names = p.db.declaredKey(rel); len(names) > 0 {
		return names, nil, nil
	}
	return nil, nil, sqlread.NoKeyError(p.Name(), rel.Kind, rel.Shown)
}

// keyless reports whether a row has NULL in all key columns, as outer joins can return. All of
// them would have the same id.
func keyless(t *table, raw [][]byte) bool {
	return !slices.ContainsFunc(t.Key, func(k int) bool { return raw[k] != nil })
}

// uncast reads a type without the cast that a table's column would have, because a query runs unchanged.
// That is only money, whose text in the locale of [session] is -$1,234.50, in an array with quotes.
func uncast(t columnType) columnType {
	value, key := t.Value, t.Key
	t.From = ""
	t.Value = func(text string) (v document.Value, reason string) { return value(moneyDigits(text)) }
	t.Key = func(dst []byte, text string) []byte {
		if key == nil {
			return append(dst, moneyDigits(text)...)
		}
		return key(dst, moneyDigits(text))
	}
	return t
}

func moneyDigits(text string) string {
	array, quoted := strings.HasPrefix(text, "{"), false
	return strings.Map(func(r rune) rune {
		switch r {
		case '"':
			quoted = !quoted
			return -1
		case '$':
			return -1
		case ',':
			if quoted || !array {
				return -1
			}
		}
		return r
	}, text)
}

// identifyTables does for all tables of a rule what [part.identify] does for one.
func (p *part) identifyTables(ctx context.Context, conn *pgx.Conn) (identity, error) {
	all := identity{unmoved: true}
	for i := range p.Rule.Tables {
		rel := &p.Rule.Tables[i]
		one, err := identify(ctx, conn, rel, false)
		if err != nil {
			return all, err
		}
		all.unmoved = all.unmoved && one.unmoved && one.oid == oidOf(rel)
		all.secured = append(all.secured, one.secured...)
	}
	return all, nil
}

// movedQuery returns whether a table that this transaction has read was rewritten or replaced since the
// snapshot, see [identity]. The locks of the transaction list all of them, including those that the
// statement reached through views, partitions and functions.
const movedQuery = `
SELECT coalesce(bool_or(c.oid IS NULL OR c.relkind = 'r' AND c.relfilenode <> 0
       AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)), false)
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`

// moved checks, after the last row, whether a table was rewritten before the statement began.
func (p *part) moved(ctx context.Context, r *reader) (moved bool, err error) {
	switch {
	case p.Rule != nil:
		err = r.conn.QueryRow(ctx, movedQuery).Scan(&moved)
		return moved, err
	case r.seen.several || p.Rel.Kind == sqlread.KindView:
		now, err := p.identify(ctx, r.conn)
		return !now.unmoved, err
	}
	return false, nil // the table was locked before the look-up
}
