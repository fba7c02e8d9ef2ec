package oracle

import (
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
	tables []relation // as they are given
}

// selections makes a part of each rule.
func (d *database) selections(c *catalogue) (parts []*part, err error) {
	var missing []string
	for i := range d.rules {
		s := &selection{Rule: &d.rules[i]}
		for k := range s.Tables {
			e := &s.Tables[k]
			at := slices.IndexFunc(c.relations, func(r relation) bool { return d.matches(e, &r) })
			switch {
			case at < 0:
				missing = append(missing, e.Text)
			case !slices.ContainsFunc(s.tables, func(r relation) bool { return r.owner == c.relations[at].owner && r.name == c.relations[at].name }):
				s.tables = append(s.tables, c.relations[at])
			}
		}
		p := &part{db: d, rule: s}
		p.scope = scopeName(p.shown(s.tables))
		parts = append(parts, p)
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		missing = slices.Compact(missing)
		return nil, form.ConfigError(fmt.Errorf("advanced_rules: there is no table %s in database %q, or the user may not know of it", strings.Join(missing, ", "), d.set.database),
			"correct tables: of the rules, or grant SELECT on the tables")
	}
	return parts, nil
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
	if err := s.begin(ctx); err != nil {
		return askError("begin a transaction", err)
	}
	c, err := d.catalogue(ctx, s)
	if err != nil {
		return askError("list the tables", err)
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

// check asks the server whether the query of a rule is one, and whether its rows can be told apart. What can
// stand in parentheses behind FROM changes nothing, and because of the condition it is not run. What may not
// be read is no mistake of the configuration: it fails its part alone. The server says the same of what does
// not exist.
func (p *part) check(ctx context.Context, s *session) error {
	err := p.onlyReads()
	if err == nil {
		err = p.checkColumns(ctx, s)
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch c := code(err); {
	case err == nil || refused(c) || c == codeNoTable:
		return nil
	case c == 0 || temporary(c):
		return p.tableError("check the query", err)
	case c == codeNoValue:
		return p.queryError(err, "write the value into the query")
	}
	return p.queryError(err, queryHint)
}

// checkColumns looks for the key among the columns of the query's result. Where they cannot be known yet, it
// is looked for when the query is run.
func (p *part) checkColumns(ctx context.Context, s *session) error {
	key, err := p.keyNames(ctx, s)
	if err != nil {
		return err
	}
	_, t, err := p.describeQuery(ctx, s)
	if err != nil || t == nil {
		return err
	}
	return p.setKey(t, key)
}

// queryError says that the query of a rule cannot work.
func (p *part) queryError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("query: %w", told(err)), Hint: hint}
}
