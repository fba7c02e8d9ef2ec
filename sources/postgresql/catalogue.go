package postgresql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// catalogue is the content of the configured schemas.
type catalogue struct {
	sqlread.Catalogue
	schemas []schema
	// parents are the tables that a table inherits from, by oid. Partitions are not among them.
	parents map[uint32][]uint32
}

type schema struct {
	name   string
	usable bool // the role has USAGE
}

// relation is a table or a similar object. Its size is in blocks, as of its last vacuum or analyze.
type relation = sqlread.Relation

// simple is the storage of a plain heap, without children and row security.
const simple = "simple heap"

// oidOf is the OID of a relation.
func oidOf(r *relation) uint32 { return uint32(r.ID) }

// kinds are the kinds of relations in pg_class, for messages. Tables hold their own rows, possibly in
// partitions.
var kinds = map[string]string{"r": sqlread.KindTable, "p": sqlread.KindTable, "v": sqlread.KindView, "m": "materialized view", "f": "foreign table"}

const (
	schemasQuery = `
SELECT nspname::text, has_schema_privilege(oid, 'USAGE')
FROM pg_catalog.pg_namespace
WHERE CASE WHEN $1 THEN nspname <> 'information_schema' AND nspname !~ '^pg_' ELSE nspname = ANY($2::text[]) END
ORDER BY nspname`

	relationsQuery = `
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::int8,
       c.relpages::int8 & 4294967295,
       c.relkind = 'r' AND NOT c.relrowsecurity
       AND EXISTS (SELECT FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname = 'heap')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid),
       has_table_privilege(c.oid, 'SELECT'), c.relispartition,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY($1::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
ORDER BY n.nspname, c.relname`

	parentsQuery = `
SELECT i.inhrelid, i.inhparent
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
WHERE p.relkind = 'r'`
)

// catalogue reads the catalog. It also sees tables of schemas without
// USAGE.
func (d *database) catalogue(ctx context.Context, conn *pgx.Conn) (*catalogue, error) {
	c := &catalogue{parents: map[uint32][]uint32{}}
	all := d.set.schemas == nil
	var s schema
	err := each(ctx, conn, schemasQuery, []any{all, []string(d.set.schemas)}, []any{&s.name, &s.usable},
		func() { c.schemas = append(c.schemas, s) })
	if err != nil {
		return nil, err
	}
	var r relation
	var oid uint32
	var kind string
	var heap, partition, extension bool
	err = each(ctx, conn, relationsQuery, []any{c.schemaNames()},
		[]any{&oid, &r.Schema, &r.Name, &kind, &r.Estimate, &r.Size, &heap, &r.Readable, &partition, &extension},
		func() {
			shown := quote.Dotted(r.Schema, r.Name)
			r.ID, r.Kind, r.Shown, r.Scope, r.Entry = int64(oid), kinds[kind], shown, shown, [2]string{r.Schema, r.Name}
			r.Why, r.Storage = why(partition, extension), ""
			if heap {
				r.Storage = simple
			}
			c.Relations = append(c.Relations, r)
		})
	if err != nil {
		return nil, err
	}
	var child, parent uint32
	err = each(ctx, conn, parentsQuery, nil, []any{&child, &parent},
		func() { c.parents[child] = append(c.parents[child], parent) })
	d.said(c)
	return c, err
}

// each queries the catalog and calls do after each row has been scanned into the variables of into.
func each(ctx context.Context, conn *pgx.Conn, query string, args, into []any, do func()) error {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		do()
	}
	return rows.Err()
}

func (c *catalogue) schemaNames() []string {
	names := []string{}
	for _, s := range c.schemas {
		names = append(names, s.name)
	}
	return names
}

// why says why a relation is never read; "" if it can be read.
func why(partition, extension bool) string {
	switch {
	case extension:
		return "belongs to an extension"
	case partition:
		return "is a partition; list the table that it is a partition of"
	}
	return ""
}

// said adds messages about missing objects to the catalog, such as configured schemas, and records the schemas
// without USAGE.
func (d *database) said(c *catalogue) {
	c.Where, c.Hint = fmt.Sprintf(" in schema %s", d.set.schemas), "correct tables: of the rules, or add the schema to schema:"
	d.unusable = nil
	for _, s := range c.schemas {
		if !s.usable {
			d.unusable = append(d.unusable, s.name)
		}
	}
	var missing []string
	for _, name := range d.set.schemas {
		if !slices.Contains(c.schemaNames(), name) {
			missing = append(missing, name)
		}
	}
	c.MissingSchemas(quote, missing, d.set.schemas, func(name string) (string, error) {
		return "correct or remove it in schema:", fmt.Errorf("schema %q does not exist in database %q", name, d.set.database)
	})
}

// plan returns the parts: a part for each requested table, readable or not, and one that fails
// for each name that does not exist. A large table is several parts, see [database.cut].
func (d *database) plan(ctx context.Context, c *catalogue, snapshot string) ([]source.Part, error) {
	for _, s := range c.schemas {
		if !s.usable && d.set.schemas != nil {
			d.Log.Warn("no USAGE on the schema, so its tables are not visible; nothing in them is deleted",
				"schema", s.name, "grant", fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", quote.Ident(s.name), quote.Ident(d.set.User)))
		}
	}
	if c.Err != nil {
		return nil, c.Err
	}
	parts := c.Missing
	if len(d.Rules) > 0 {
		selections, err := d.selections(c, snapshot)
		for _, p := range selections {
			parts = append(parts, p)
		}
		return parts, err
	}
	read := map[uint32]bool{}
	var tables []*part
	for _, r := range c.Relations {
		p := &part{db: d, Subject: sqlread.Subject{Rel: r}, snapshot: snapshot, about: &sqlread.Described{}}
		switch {
		case r.Why != "" || !d.set.tables.Asks(&r):
		case slices.Contains(d.unusable, r.Schema):
			parts = append(parts, &hidden{p})
		default:
			read[oidOf(&r)] = true
			tables = append(tables, p)
		}
	}
	only := c.ancestors(read)
	for _, p := range tables {
		p.only = only[oidOf(&p.Rel)]
	}
	d.refusedHint = d.hintOfRefused(tables)
	for _, p := range d.cut(ctx, tables) {
		parts = append(parts, p)
	}
	return append(parts, d.Unmatched(&d.set.tables, c.Relations, d.missingTable)...), nil
}

// ancestors are the tables that a table in read inherits from: they are read without the rows
// of their children, so that no row comes twice.
func (c *catalogue) ancestors(read map[uint32]bool) map[uint32]bool {
	found := map[uint32]bool{}
	var climb func(oid uint32)
	climb = func(oid uint32) {
		for _, p := range c.parents[oid] {
			if !found[p] {
				found[p] = true
				climb(p)
			}
		}
	}
	for oid := range read {
		climb(oid)
	}
	return found
}

// missingTable is a part for a name of the table list that matches no table. A table of a schema without USAGE may
// exist, but is not visible.
func (d *database) missingTable(u sqlread.Unknown) source.Part {
	e, scope := u.Entry, u.Entry.Text
	switch {
	case e.Schema != sqlread.Name{}:
		scope = quote.Dotted(e.Schema.Text, e.Table.Text)
	case len(d.set.schemas) == 1:
		scope = quote.Dotted(d.set.schemas[0], e.Table.Text)
	}
	return u.Missing(scope, "", "", "")
}
