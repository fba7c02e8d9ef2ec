package mssql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// fileTable is a storage whose rows have no versions, even if READ COMMITTED reads them.
const fileTable = "FileTable"

// fromOf is the relation's name in SQL.
func fromOf(r *relation) string { return quote.Table(r.Schema, r.Name) }

const (
	// ledgerRelationsQuery also reports ledger tables: the history of others, and dropped ones. It is for servers from
	// 2022 on, and Azure.
	ledgerRelationsQuery = relationsUntilKind + ` WHEN t.ledger_type = 1 THEN 'ledger history table'
            WHEN t.is_dropped_ledger_table = 1 THEN 'dropped ledger table'` + relationsAfterKind

	// relationsQuery is for servers from 2016 on. It excludes objects that the server created for itself, and tables with the history of
	// others. SCHEMA_NAME also names schemas that sys.schemas does not show to the user.
	relationsQuery = relationsUntilKind + relationsAfterKind

	relationsUntilKind = `
SELECT o.object_id, SCHEMA_NAME(o.schema_id), o.name,
       CASE WHEN o.type = 'V' THEN 'view' WHEN t.is_external = 1 THEN 'external table'`
	relationsAfterKind = ` ELSE 'table' END,
       COALESCE(CONVERT(int, t.is_memory_optimized), 0),
       HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), 'OBJECT', 'SELECT'),
       (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1))
FROM sys.objects o LEFT JOIN sys.tables t ON t.object_id = o.object_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND COALESCE(t.temporal_type, 0) <> 1
ORDER BY SCHEMA_NAME(o.schema_id), o.name`

	// oldRelationsQuery is for servers before 2016, which have neither.
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

// Catalogue reads the catalog. The server shows only objects on which the user has a privilege.
func (d *database) Catalogue(ctx context.Context, s *session) (*catalogue, error) {
	if s.folds {
		d.fold()
	}
	d.asUser.Store(&s.user)
	c, seen, missing := &catalogue{In: slog.String("schema", d.set.schemas.String())}, map[string]bool{}, []string(nil)
	take := func(row []driver.Value) {
		schema, name := sqlread.TextOf(row[1]), sqlread.TextOf(row[2])
		r := relation{
			ID: sqlread.NumberOf(row[0]), Schema: schema, Name: name, Kind: sqlread.TextOf(row[3]), Unversioned: sqlread.NumberOf(row[4]) != 0,
			Readable: sqlread.NumberOf(row[5]) != 0, Estimate: sqlread.NumberOf(row[6]),
			Shown: quote.Dotted(schema, name), Scope: quote.Dotted(schema, name), Entry: [2]string{schema, name}, Match: [2]string{schema, name},
		}
		if s.folds {
			r.Match = [2]string{strings.ToLower(schema), strings.ToLower(name)}
		}
		if d.set.schemas == nil || slices.Contains(d.set.schemas, r.Match[0]) {
			seen[r.Match[0]] = true
			c.Relations = append(c.Relations, r)
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
				missing = append(missing, name)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	d.said(c, missing)
	return c, nil
}

// fold lower-cases the configured names.
func (d *database) fold() {
	for i := range d.set.schemas {
		d.set.schemas[i] = strings.ToLower(d.set.schemas[i])
	}
	for i := range d.set.tables.Entries {
		d.set.tables.Entries[i].Fold()
	}
	for i := range d.Rules {
		for k := range d.Rules[i].Tables {
			d.Rules[i].Tables[k].Fold()
		}
	}
}

// Wants implements [sqlread.Dialect].
func (d *database) Wants(r *relation) bool { return d.set.tables.Asks(r) }

// Select implements [sqlread.Dialect].
func (d *database) Select(c *catalogue, r *sqlread.Rule) (*sqlread.Selection, []string, error) {
	return r.SelectOne(quote, c.Relations)
}

// Combined implements [sqlread.Dialect].
func (d *database) Combined(s *sqlread.Selection) relation { return s.Combined(quote) }

// said adds messages about missing objects to the catalog, such as configured schemas.
func (d *database) said(c *catalogue, missing []string) {
	c.Where = fmt.Sprintf(" in schema %s, or the user has no privilege on it", d.set.schemas)
	c.Hint = "correct tables: of the rules, add the schema to schema:, or grant SELECT on the tables"
	c.MissingSchemas(quote, missing, d.set.schemas, func(name string) (string, error) {
		return fmt.Sprintf("correct or remove it in schema:, or GRANT SELECT ON SCHEMA::%s TO %s;", quote.Ident(name), d.user()),
			fmt.Errorf("schema %q does not exist in database %q, or the user has no privilege on it", name, d.set.database)
	})
}

// Unmatched implements [sqlread.Dialect].
func (d *database) Unmatched(c *catalogue) []source.Part {
	return d.Config.Unmatched(&d.set.tables, c.Relations, d.missingTable)
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
	return u.Missing(scope, "", fmt.Sprintf(" in schema %s, or the user has no privilege on it", d.set.schemas), grant)
}
