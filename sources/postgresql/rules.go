package postgresql

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Advanced rules: instead of tables, the results of queries are read. A rule is a part, and belongs to
// the tables that it names: after them its documents are called, and by them deletes are decided.

// rule is an advanced rule as it is configured.
type rule struct {
	path      string  // where it is in the configuration, such as advanced_rules[0]
	tables    []entry // each names one table exactly
	query     string  // without semicolons at its end
	idColumns []string
}

// parseRules reads advanced rules: a list of objects, or nothing.
func parseRules(raw any) ([]rule, error) {
	switch raw := raw.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if len(raw) == 0 {
			return nil, nil
		}
	case []any:
		var rules []rule
		for i, member := range raw {
			r := rule{path: fmt.Sprintf("advanced_rules[%d]", i)}
			if err := r.parse(member); err != nil {
				return nil, err
			}
			rules = append(rules, r)
		}
		return rules, nil
	}
	return nil, configError(fmt.Errorf("advanced_rules: must be a list, not %s", kindOf(raw)), ruleHint)
}

const ruleHint = `write a list of rules such as {tables: [orders], query: "SELECT * FROM orders WHERE paid"}`

// parse reads one rule.
func (r *rule) parse(raw any) (err error) {
	keys, ok := raw.(map[string]any)
	if !ok {
		return configError(fmt.Errorf("%s: must be an object, not %s", r.path, kindOf(raw)), ruleHint)
	}
	known := []string{"tables", "query", "id_columns"}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(known, key) {
			continue
		}
		hint := "remove it; a rule has the keys " + strings.Join(known, ", ")
		if near := field.Nearest(key, known); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		return configError(fmt.Errorf("%s.%s: a rule has no such key", r.path, key), hint)
	}
	names, err := r.texts("tables", keys["tables"], "name the tables whose documents these are, such as tables: [orders]")
	if err != nil {
		return err
	}
	for i, n := range names {
		e, err := parseEntry(n)
		if err == nil && (e.exclude || !e.exact()) {
			err = fmt.Errorf("%q is not the name of one table", n)
		}
		if err != nil {
			return configError(fmt.Errorf("%s.tables[%d]: %w", r.path, i, err), `write a name, or schema.name; one with odd characters in quotes, such as "\"odd name*\""`)
		}
		r.tables = append(r.tables, e)
	}
	text, ok := keys["query"].(string)
	r.query = strings.TrimRight(text, "; \t\r\n")
	if strings.TrimSpace(r.query) == "" {
		problem := "is empty"
		if !ok {
			problem = "must be text, not " + kindOf(keys["query"])
		}
		return configError(fmt.Errorf("%s.query: %s", r.path, problem), "write the SELECT whose rows are to be documents")
	}
	if columns, given := keys["id_columns"]; given {
		r.idColumns, err = r.texts("id_columns", columns, "name columns of the result that tell its rows apart, or remove the key")
	}
	return err
}

// texts reads a list of one text or more.
func (r *rule) texts(key string, raw any, hint string) (texts []string, err error) {
	list, ok := raw.([]any)
	switch {
	case !ok:
		return nil, configError(fmt.Errorf("%s.%s: must be a list, not %s", r.path, key, kindOf(raw)), hint)
	case len(list) == 0:
		return nil, configError(fmt.Errorf("%s.%s: is empty", r.path, key), hint)
	}
	for i, member := range list {
		text, ok := member.(string)
		if text = strings.TrimSpace(text); text == "" {
			problem := "is empty"
			if !ok {
				problem = "must be text, not " + kindOf(member)
			}
			return nil, configError(fmt.Errorf("%s.%s[%d]: %s", r.path, key, i, problem), hint)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// kindOf names what a decoded value is.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "missing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// selection is a rule whose tables were found.
type selection struct {
	*rule
	tables []relation // by name
}

// find looks for the tables of a rule, in all configured schemas.
func (r *rule) find(c *catalogue) (s *selection, missing []string, err error) {
	s = &selection{rule: r}
	for i := range r.tables {
		e := &r.tables[i]
		var found []relation
		for _, rel := range c.relations {
			if e.match(rel.schema, rel.name) {
				found = append(found, rel)
			}
		}
		switch {
		case len(found) == 0:
			missing = append(missing, e.text)
		case len(found) > 1:
			return nil, nil, configError(fmt.Errorf("%s.tables[%d]: %q is in several schemas", r.path, i, e.text),
				fmt.Sprintf("write %s or %s", writeEntry(found[0].schema, found[0].name), writeEntry(found[1].schema, found[1].name)))
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
		s, lacks, err := d.rules[i].find(c)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacks...)
		schemas, names := s.schemas(), s.names()
		parts = append(parts, &part{
			db: d, rule: s, snapshot: snapshot, scope: scopeName(schemas, names),
			rel: relation{schema: strings.Join(schemas, "_"), name: strings.Join(names, "_"), readable: true},
		})
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		missing = slices.Compact(missing)
		return nil, configError(fmt.Errorf("advanced_rules: there is no table %s in schema %s", strings.Join(missing, ", "), d.set.schemas),
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

// label puts the tables of the rule into the fields that every document of it has: the tables as a
// list, and the schema as one where there are several.
func (s *selection) label(fields []document.Field) {
	for i := range fields {
		switch strings.ToLower(fields[i].Name) {
		case "table":
			fields[i].Value = listOf(s.names())
		case "schema":
			if schemas := s.schemas(); len(schemas) > 1 {
				fields[i].Value = listOf(schemas)
			}
		}
	}
}

func listOf(texts []string) document.Value {
	var values []document.Value
	for _, t := range texts {
		values = append(values, document.String(t))
	}
	return document.List(values)
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
		return d.askError("begin a transaction", err)
	}
	c, err := d.catalogue(ctx, conn)
	if err != nil {
		return d.askError("list the tables", err)
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
	_, err := conn.PgConn().Prepare(ctx, "", "DECLARE c INSENSITIVE CURSOR FOR\n"+p.rule.query, nil)
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
