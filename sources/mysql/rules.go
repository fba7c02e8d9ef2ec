package mysql

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

// names are the names of the tables, as they are given.
func (s *selection) names() (names []string) {
	for _, t := range s.tables {
		names = append(names, t.name)
	}
	return names
}

// sorted are the same in the order of ids.
func (s *selection) sorted() []string { return slices.Sorted(slices.Values(s.names())) }

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
			case !slices.Contains(s.names(), c.relations[at].name):
				s.tables = append(s.tables, c.relations[at])
			}
		}
		parts = append(parts, &part{db: d, rule: s, scope: scopeName(s.names()), rel: relation{name: strings.Join(s.sorted(), "_")}, about: &sqlread.Described{}})
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

// check asks the server whether the query of a rule is one that only reads, and whether its rows can
// be told apart. What may not be read is no mistake of the configuration: it fails its part alone.
func (p *part) check(ctx context.Context, s *session) error {
	n, err := s.prepare(ctx, p.rule.Query)
	switch {
	case err != nil:
	case n > 0:
		return p.queryError(&sqlread.ParameterError{N: n}, "write the value into the query")
	default:
		err = p.checkColumns(ctx, s)
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e
	}
	switch c := code(err); {
	case err == nil || refused(c):
		return nil
	case c == 0 || temporary(c):
		return p.tableError("check the query", err)
	}
	return p.queryError(err, "write one SELECT or WITH statement that only reads")
}

// checkColumns looks for the key among the columns of the query's result. Where two columns have one name,
// which is refused last of all, the key is looked for when it is read.
func (p *part) checkColumns(ctx context.Context, s *session) error {
	_, err := p.describeQuery(ctx, s)
	if code(err) == codeTwoColumns {
		return nil
	}
	return err
}

// describeQuery asks for the columns of the query's result and finds its key among them. What can stand here
// in parentheses is one query that changes nothing and writes no file, and because of the limit it is not run.
func (p *part) describeQuery(ctx context.Context, s *session) (*table, error) {
	key, err := p.keyNames(ctx, s)
	if err != nil {
		return nil, err
	}
	columns, err := s.describe(ctx, "SELECT * FROM (\n"+p.rule.Query+"\n) AS q LIMIT 0")
	if err != nil {
		return nil, err
	}
	t := &table{Columns: columns}
	t.Encode(p.db.compat)
	return t, p.setKey(t, key)
}

// queryError says that the query of a rule cannot work.
func (p *part) queryError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Part: p.Name(), Err: fmt.Errorf("query: %w", told(err)), Hint: hint}
}
