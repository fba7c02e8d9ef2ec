package postgresql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Advanced rules: instead of tables, the results of queries are read. A rule is a part, and belongs to
// the tables that it names: after them its documents are called, and by them deletes are decided.

// selection is a rule whose tables were found.
type selection struct {
	*sqlread.Rule
	tables []relation // by name
}

// find looks for the tables of a rule, in all configured schemas.
func find(r *sqlread.Rule, c *catalogue) (s *selection, missing []string, err error) {
	s = &selection{Rule: r}
	for i := range r.Tables {
		e := &r.Tables[i]
		var found []relation
		for _, rel := range c.relations {
			if e.Match(rel.schema, rel.name) {
				found = append(found, rel)
			}
		}
		switch {
		case len(found) == 0:
			missing = append(missing, e.Text)
		case len(found) > 1:
			return nil, nil, form.ConfigError(fmt.Errorf("%s.tables[%d]: %q is in several schemas", r.Path, i, e.Text),
				fmt.Sprintf("write %s or %s", quote.WriteEntry(found[0].schema, found[0].name), quote.WriteEntry(found[1].schema, found[1].name)))
		case !slices.ContainsFunc(s.tables, func(t relation) bool { return t.oid == found[0].oid }):
			s.tables = append(s.tables, found[0])
		}
	}
	slices.SortFunc(s.tables, func(a, b relation) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.schema, b.schema))
	})
	return s, missing, nil
}

// selections makes a part of each rule.
func (d *database) selections(c *catalogue, snapshot string) (parts []*part, err error) {
	var missing []string
	for i := range d.rules {
		s, lacks, err := find(&d.rules[i], c)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacks...)
		schemas, names := s.schemas(), s.names()
		parts = append(parts, &part{
			db: d, rule: s, snapshot: snapshot, scope: quote.SchemaScope(schemas, names), about: &sqlread.Described{},
			rel: relation{schema: strings.Join(schemas, "_"), name: strings.Join(names, "_"), readable: true},
		})
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		missing = slices.Compact(missing)
		return nil, form.ConfigError(fmt.Errorf("advanced_rules: there is no table %s in schema %s", strings.Join(missing, ", "), d.set.schemas),
			"correct tables: of the rules, or add the schema to schema:")
	}
	return parts, nil
}

// names are the names of the tables, in their order.
func (s *selection) names() (names []string) {
	for _, t := range s.tables {
		names = append(names, t.name)
	}
	return names
}

// schemas are the schemas of the tables, each once.
func (s *selection) schemas() (names []string) {
	for _, t := range s.tables {
		names = append(names, t.schema)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Validate checks the advanced rules, without running their queries. All else that can be known
// without reading was checked when the source was opened.
func (d *database) Validate(ctx context.Context) error {
	if len(d.rules) == 0 {
		return nil
	}
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if err := d.beginTx(ctx, conn, ""); err != nil {
		return askError("begin a transaction", err)
	}
	c, err := d.catalogue(ctx, conn)
	if err != nil {
		return askError("list the tables", err)
	}
	parts, err := d.selections(c, "")
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.check(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// check asks the server whether the query of a rule is one that only reads, and whether its rows can
// be told apart. What may not be read is no mistake of the configuration: it fails its part alone.
func (p *part) check(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		return p.tableError("check the query", err)
	}
	if err := p.db.beginTx(ctx, conn, ""); err != nil {
		return p.tableError("begin a transaction", err)
	}
	// What can be declared as a cursor of this kind is one statement, a query, that changes no table and
	// locks no row; to prepare the declaration runs nothing.
	_, err := conn.PgConn().Prepare(ctx, "", "DECLARE c INSENSITIVE CURSOR FOR\n"+p.rule.Query, nil)
	switch code := state(err); {
	case err == nil:
	case code == codeNoPrivilege:
		return nil
	case code == "" || temporary(code):
		return p.tableError("check the query", err)
	case code == codeNoTable || code == codeNoSchema:
		return p.queryError(err, "names are looked up along the search_path of the role; write schema.table")
	default:
		return p.queryError(err, "write one SELECT, WITH, TABLE or VALUES statement that only reads")
	}
	_, err = p.describe(ctx, conn, 0)
	if state(err) == codeNoPrivilege {
		return nil
	}
	return err
}

// queryError says that the query of a rule cannot work.
func (p *part) queryError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("query: %w", told(err)), Hint: hint}
}
