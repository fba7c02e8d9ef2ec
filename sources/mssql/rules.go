package mssql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
			if e.Match(rel.match.Schema, rel.match.Name) {
				found = append(found, rel)
			}
		}
		switch {
		case len(found) == 0:
			missing = append(missing, e.Text)
		case len(found) > 1:
			return nil, nil, form.ConfigError(fmt.Errorf("%s.tables[%d]: %q is in several schemas", r.Path, i, e.Text),
				fmt.Sprintf("write %s or %s", quote.WriteEntry(found[0].schema, found[0].name), quote.WriteEntry(found[1].schema, found[1].name)))
		case !slices.ContainsFunc(s.tables, func(t relation) bool { return t.id == found[0].id }):
			s.tables = append(s.tables, found[0])
		}
	}
	slices.SortFunc(s.tables, func(a, b relation) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.schema, b.schema))
	})
	return s, missing, nil
}

// selections makes a part of each rule.
func (d *database) selections(c *catalogue) (parts []*part, err error) {
	var missing []string
	for i := range d.rules {
		s, lacks, err := find(&d.rules[i], c)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacks...)
		schemas, names := s.schemas(), s.names()
		parts = append(parts, &part{
			db: d, rule: s, scope: quote.SchemaScope(schemas, names),
			rel: relation{schema: strings.Join(schemas, "_"), name: strings.Join(names, "_")},
		})
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		missing = slices.Compact(missing)
		return nil, form.ConfigError(fmt.Errorf("advanced_rules: there is no table %s in schema %s, or the user may not know of it", strings.Join(missing, ", "), d.set.schemas),
			"correct tables: of the rules, add the schema to schema:, or grant SELECT on the tables")
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
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	c, err := d.catalogue(ctx, s)
	if err != nil {
		return askError("list the tables", err)
	}
	if _, err := d.missingSchemas(c); err != nil {
		return err
	}
	parts, err := d.selections(c)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.check(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// check asks the server whether it understands the query of a rule, and whether its rows can be told
// apart. What may not be read is no mistake of the configuration: it fails its part alone.
func (p *part) check(ctx context.Context, s *session) error {
	if err := p.onlyReads(); err != nil {
		return err
	}
	_, _, err := p.describeQuery(ctx, s)
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch c := code(err); {
	case err == nil || refused(c):
		return nil
	case c == 0 || temporary(c):
		return p.tableError("check the query", err)
	}
	return p.queryError(err, oneSelectHint)
}

const oneSelectHint = "write one SELECT or WITH statement that only reads"

// onlyReads checks that the query of a rule is one statement that only reads.
func (p *part) onlyReads() error {
	if err := oneSelect(p.rule.Query); err != nil {
		return p.queryError(err, oneSelectHint)
	}
	return nil
}
