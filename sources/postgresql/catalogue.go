package postgresql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// catalogue is what exists in the configured schemas.
type catalogue struct {
	schemas   []schema
	relations []relation
	// parents are the tables that a table inherits from, by oid. Partitions are not among them.
	parents map[uint32][]uint32
}

type schema struct {
	name   string
	usable bool // the role has USAGE
}

// relation is a table or something like it.
type relation struct {
	oid          uint32
	schema, name string
	kind         string // as in pg_class
	estimate     int64  // rows; not above 0 when unknown
	blocks       int64  // when it was last vacuumed or analyzed; 0 when unknown
	simple       bool   // a heap of its own, without children and row security
	readable     bool   // the role has SELECT
	usable       bool   // the role has USAGE of the schema
	partition    bool
	extension    bool // belongs to an extension
}

// The kinds of relations, as in pg_class.
const (
	kindTable        = "r"
	kindPartitioned  = "p"
	kindView         = "v"
	kindMaterialized = "m"
	kindForeign      = "f"
)

// isTable reports whether it holds its rows itself, or in partitions. All else has no key and may be
// costly to read, so it has to be named.
func (r *relation) isTable() bool { return r.kind == kindTable || r.kind == kindPartitioned }

// what names the kind in a sentence.
func (r *relation) what() string {
	switch r.kind {
	case kindView:
		return "view"
	case kindMaterialized:
		return "materialized view"
	case kindForeign:
		return "foreign table"
	}
	return "table"
}

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

// catalogue asks what exists. It sees tables of schemas that the role
// may not use, too.
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
	err = each(ctx, conn, relationsQuery, []any{c.schemaNames()},
		[]any{&r.oid, &r.schema, &r.name, &r.kind, &r.estimate, &r.blocks, &r.simple, &r.readable, &r.partition, &r.extension},
		func() {
			r.usable = slices.Contains(c.schemas, schema{r.schema, true})
			c.relations = append(c.relations, r)
		})
	if err != nil {
		return nil, err
	}
	var child, parent uint32
	err = each(ctx, conn, parentsQuery, nil, []any{&child, &parent},
		func() { c.parents[child] = append(c.parents[child], parent) })
	return c, err
}

// each asks the catalogue and calls do after each row, which was scanned into what into points to.
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

// why tells why a relation is never read; "" when it can be.
func (r *relation) why() string {
	switch {
	case r.extension:
		return "belongs to an extension"
	case r.partition:
		return "is a partition; list the table that it is a partition of"
	}
	return ""
}

// plan makes the parts: a part for each table that is asked for, readable or not, and one that fails
// for each name that does not exist. A large table is several parts, see [database.cut].
func (d *database) plan(ctx context.Context, c *catalogue, snapshot string) ([]source.Part, error) {
	for _, s := range c.schemas {
		if !s.usable && d.set.schemas != nil {
			d.log.Warn("the schema may not be used, so its tables cannot be seen; nothing of them is deleted",
				"schema", s.name, "grant", fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", quote.Ident(s.name), quote.Ident(d.set.username)))
		}
	}
	parts, err := d.missingSchemas(c)
	if err != nil {
		return nil, err
	}
	if len(d.rules) > 0 {
		selections, err := d.selections(c, snapshot)
		for _, p := range selections {
			parts = append(parts, p)
		}
		return parts, err
	}
	read := map[uint32]bool{}
	var tables []*part
	for _, r := range c.relations {
		p := &part{db: d, rel: r, scope: quote.Dotted(r.schema, r.name), snapshot: snapshot, about: &sqlread.Described{}}
		switch {
		case r.why() != "" || !d.wants(&r):
		case !r.usable:
			parts = append(parts, &hidden{p})
		default:
			read[r.oid] = true
			tables = append(tables, p)
		}
	}
	only := c.ancestors(read)
	for _, p := range tables {
		p.only = only[p.rel.oid]
	}
	d.refusedHint = d.hintOfRefused(tables)
	for _, p := range d.cut(ctx, tables) {
		parts = append(parts, p)
	}
	return append(parts, d.missingTables(c)...), nil
}

// wants reports whether the configuration asks for it.
func (d *database) wants(r *relation) bool {
	if !r.isTable() && !d.set.tables.Names(r.schema, r.name) {
		return false
	}
	return d.set.tables.Wants(r.schema, r.name)
}

// ancestors are the tables that a table of read inherits from: read on their own, without the rows
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

// missingSchemas reports schemas that are configured and do not exist. When there is none left to
// read, the configuration is wrong; otherwise the others are read.
func (d *database) missingSchemas(c *catalogue) (parts []source.Part, err error) {
	exist := c.schemaNames()
	for _, name := range d.set.schemas {
		if slices.Contains(exist, name) {
			continue
		}
		e := &source.Error{
			Kind: source.ErrConfig, Part: quote.Dotted(name, "*"),
			Err: fmt.Errorf("schema %q does not exist in database %q", name, d.set.database), Hint: "correct or remove it in schema:",
		}
		if len(exist) == 0 {
			e.Part = ""
			return nil, e
		}
		parts = append(parts, &sqlread.Missing{Of: e.Part, Err: e})
	}
	return parts, nil
}

// missingTables reports names of the table list that no table has. A table of a schema that may not
// be used does exist; it only cannot be seen.
func (d *database) missingTables(c *catalogue) (parts []source.Part) {
	var known []sqlread.Known
	for i := range c.relations {
		r := &c.relations[i]
		known = append(known, sqlread.Known{Schema: r.schema, Name: r.name, Table: r.isTable(), Why: r.why()})
	}
	for _, u := range d.set.tables.Unknown(known, d.log) {
		parts = append(parts, d.missingTable(u))
	}
	return parts
}

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
