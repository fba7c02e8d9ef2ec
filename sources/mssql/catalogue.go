package mssql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// catalogue is what exists in the database, as far as the user may know.
type catalogue struct {
	relations []relation // of the configured schemas
	missing   []string   // configured schemas that do not exist
}

// relation is a table or something like it.
type relation struct {
	id           int64
	schema, name string
	match        sqlread.Known // its names as the configuration is compared with them
	kind         string        // as in relationsQuery
	memory       bool          // its rows are kept in memory, where other rules hold
	locks        bool          // its rows have no versions, even where READ COMMITTED reads them
	readable     bool          // the user has SELECT on it
	estimate     int64         // rows; 0 when unknown
}

const (
	kindTable = "table"
	kindView  = "view"
)

// isTable reports whether it holds its rows itself. All else may have no key and be costly to read, so it
// has to be named.
func (r *relation) isTable() bool { return r.kind == kindTable }

// what names the kind in a sentence.
func (r *relation) what() string { return r.kind }

// from is the relation as SQL takes it.
func (r *relation) from() string { return quote.Table(r.schema, r.name) }

// scope is what deletes are decided by.
func (r *relation) scope() string { return quote.Dotted(r.schema, r.name) }

const (
	// ledgerRelationsQuery also tells tables that a ledger keeps: the history of others, and those that were
	// dropped. It is for servers from 2022 on, and Azure.
	ledgerRelationsQuery = `
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' WHEN t.is_external = 1 THEN 'external table' WHEN t.ledger_type = 1 THEN 'ledger history table'
            WHEN t.is_dropped_ledger_table = 1 THEN 'dropped ledger table' ELSE 'table' END,
       COALESCE(CONVERT(int, t.is_memory_optimized), 0),
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND COALESCE(t.temporal_type, 0) <> 1
ORDER BY SCHEMA_NAME(o.schema_id), o.name`

	// relationsQuery is for servers from 2016 on. It leaves out what the server made for itself, and the tables that hold the history of
	// others. SCHEMA_NAME also names schemas that sys.schemas does not show to the user.
	relationsQuery = `
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' WHEN t.is_external = 1 THEN 'external table' ELSE 'table' END,
       COALESCE(CONVERT(int, t.is_memory_optimized), 0),
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND COALESCE(t.temporal_type, 0) <> 1
ORDER BY SCHEMA_NAME(o.schema_id), o.name`

	// oldRelationsQuery is for servers before 2016, which know neither.
	oldRelationsQuery = `
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' ELSE 'table' END,
       0,
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0
ORDER BY SCHEMA_NAME(o.schema_id), o.name`

	schemaQuery = "SELECT SCHEMA_ID(@p1)"
)

// catalogue asks what exists. The server shows only what the user has some right on.
func (d *database) catalogue(ctx context.Context, s *session) (*catalogue, error) {
	if s.folds {
		d.fold()
	}
	d.setUser(s.user)
	c, seen := &catalogue{}, map[string]bool{}
	take := func(row []driver.Value) {
		r := relation{
			id: sqlread.NumberOf(row[0]), schema: sqlread.TextOf(row[1]), name: sqlread.TextOf(row[2]), kind: sqlread.TextOf(row[3]),
			memory: sqlread.NumberOf(row[4]) != 0, readable: sqlread.NumberOf(row[5]) != 0, estimate: sqlread.NumberOf(row[6]),
		}
		r.match = sqlread.Known{Schema: r.schema, Name: r.name, Table: r.isTable()}
		if s.folds {
			r.match.Schema, r.match.Name = strings.ToLower(r.schema), strings.ToLower(r.name)
		}
		if d.set.schemas == nil || slices.Contains(d.set.schemas, r.match.Schema) {
			seen[r.match.Schema] = true
			c.relations = append(c.relations, r)
		}
	}
	err := s.Each(ctx, ledgerRelationsQuery, nil, take)
	if code(err) == codeNoColumn {
		err = s.Each(ctx, relationsQuery, nil, take)
	}
	if d.old = code(err) == codeNoColumn; d.old {
		err = s.Each(ctx, oldRelationsQuery, nil, take)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range d.set.schemas {
		if seen[name] {
			continue
		}
		err := s.Each(ctx, schemaQuery, []driver.Value{name}, func(row []driver.Value) {
			if row[0] == nil {
				c.missing = append(c.missing, name)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// fold takes the letter case off the names that are configured.
func (d *database) fold() {
	for i := range d.set.schemas {
		d.set.schemas[i] = strings.ToLower(d.set.schemas[i])
	}
	for i := range d.set.tables.Entries {
		d.set.tables.Entries[i].Fold()
	}
	for i := range d.rules {
		for k := range d.rules[i].Tables {
			d.rules[i].Tables[k].Fold()
		}
	}
}

// plan makes the parts: one for each table that is asked for, and one that fails for each name that
// does not exist.
func (d *database) plan(c *catalogue) (tables []*part, missing []source.Part, err error) {
	if missing, err = d.missingSchemas(c); err != nil {
		return nil, nil, err
	}
	if len(d.rules) > 0 {
		tables, err = d.selections(c)
		return tables, missing, err
	}
	for i := range c.relations {
		if r := &c.relations[i]; d.wants(r) {
			tables = append(tables, &part{db: d, rel: *r, scope: r.scope()})
		}
	}
	d.refusedHint = d.hintOfRefused(tables)
	return tables, append(missing, d.missingTables(c)...), nil
}

// wants reports whether the configuration asks for it.
func (d *database) wants(r *relation) bool {
	if !r.isTable() && !d.set.tables.Names(r.match.Schema, r.match.Name) {
		return false
	}
	return d.set.tables.Wants(r.match.Schema, r.match.Name)
}

// missingSchemas reports schemas that are configured and do not exist. When there is none left to
// read, the configuration is wrong; otherwise the others are read.
func (d *database) missingSchemas(c *catalogue) (parts []source.Part, err error) {
	for _, name := range c.missing {
		e := &source.Error{
			Kind: source.ErrConfig, Part: quote.Dotted(name, "*"),
			Err:  fmt.Errorf("schema %q does not exist in database %q, or the user may not know of it", name, d.set.database),
			Hint: fmt.Sprintf("correct or remove it in schema:, or GRANT SELECT ON SCHEMA::%s TO %s;", quote.Ident(name), d.user()),
		}
		if len(c.missing) == len(d.set.schemas) {
			e.Part = ""
			return nil, e
		}
		parts = append(parts, &sqlread.Missing{Of: e.Part, Err: e})
	}
	return parts, nil
}

// missingTables reports names of the table list that no table has.
func (d *database) missingTables(c *catalogue) (parts []source.Part) {
	var known []sqlread.Known
	for i := range c.relations {
		known = append(known, c.relations[i].match)
	}
	for _, u := range d.set.tables.Unknown(known, d.log) {
		parts = append(parts, d.missingTable(u))
	}
	return parts
}

func (d *database) missingTable(u sqlread.Unknown) source.Part {
	schema, scope, grant := u.Entry.Schema.Text, quote.Dotted(u.Entry.Table.Text), ""
	if schema == "" && len(d.set.schemas) == 1 {
		schema = d.set.schemas[0]
	}
	if schema != "" {
		scope = quote.Dotted(schema, u.Entry.Table.Text)
		grant = fmt.Sprintf("GRANT SELECT ON %s TO %s;", quote.Table(schema, u.Entry.Table.Text), d.user())
	}
	return u.Missing(scope, "", fmt.Sprintf(" in schema %s, or the user may not know of it", d.set.schemas), grant)
}
