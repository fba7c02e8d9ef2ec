package oracle

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// kindStore is a kind of relation besides tables and views.
const kindStore = "materialized view"

// relation converts a relation of the catalog.
func (d *database) relation(owner, name, kind string) relation {
	r := relation{Schema: owner, Name: name, Kind: kind, Shown: shownName(d.set.owner, owner, name), Entry: [2]string{owner, name}}
	if r.Scope = scopeName([]string{r.Shown}); owner == d.set.owner {
		r.Entry[0] = ""
	}
	return r
}

// question is a query of the catalog, best form first: later forms are for servers that lack a
// column or a view of an earlier one.
type question struct {
	forms []string
	next  int // the first form that this server may understand
}

// questions are all queries of the catalog. Each takes the schema, and then the table if it is
// about one.
type questions struct{ tables, views, stores, columns, keys, geometry question }

func newQuestions() *questions {
	return &questions{
		tables:   question{forms: []string{tablesQuery, fewTablesQuery}},
		views:    question{forms: []string{viewsQuery}},
		stores:   question{forms: []string{storesQuery, noStoresQuery}},
		columns:  question{forms: []string{columnsQuery, oldColumnsQuery, fewColumnsQuery}},
		keys:     question{forms: []string{keysQuery, oldKeysQuery, fewKeysQuery}},
		geometry: question{forms: []string{geometryQuery}},
	}
}

const (
	// Excluded: tables that hold part of another, and those that the server itself fills, such as of text indexes.
	tablesQuery = `
SELECT table_name, num_rows,
       CASE WHEN temporary = 'Y' THEN 'is temporary'
            WHEN nested = 'YES' THEN 'is a nested table; its rows are part of another'
            WHEN secondary = 'Y' THEN 'belongs to an index'
            WHEN iot_type IN ('IOT_OVERFLOW', 'IOT_MAPPING') THEN 'belongs to another table' END
FROM all_tables
WHERE owner = :1
ORDER BY table_name`
	fewTablesQuery = `
SELECT table_name, NULL, NULL
FROM all_tables
WHERE owner = :1
ORDER BY table_name`

	viewsQuery = `
SELECT view_name
FROM all_views
WHERE owner = :1
ORDER BY view_name`

	storesQuery = `
SELECT container_name
FROM all_mviews
WHERE owner = :1`
	noStoresQuery = `
SELECT view_name
FROM all_views
WHERE owner = :1 AND 1 = 0`
)

// Catalogue reads the catalog. The server shows tables only to users with a privilege on them.
func (d *database) Catalogue(ctx context.Context, s *session) (*catalogue, error) {
	c := &catalogue{
		In: slog.String("schema", d.set.owner), Where: fmt.Sprintf(" in database %q, or the user has no privilege on it", d.set.database),
		Hint: "correct tables: of the rules, or grant SELECT on the tables",
	}
	for _, owner := range d.owners() {
		if err := d.addSchema(ctx, s, c, owner); err != nil {
			return nil, err
		}
	}
	d.resolve(c)
	return c, nil
}

// owners are the schemas that may be read from, as written and in capitals.
func (d *database) owners() (names []string) {
	names = append(names, d.set.owner)
	add := func(e *sqlread.Entry) {
		for _, name := range []string{e.Schema.Text, strings.ToUpper(e.Schema.Text)} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for i := range d.set.others.Entries {
		add(&d.set.others.Entries[i])
	}
	for i := range d.Rules {
		for k := range d.Rules[i].Tables {
			add(&d.Rules[i].Tables[k])
		}
	}
	return names
}

// addSchema adds the content of a schema.
func (d *database) addSchema(ctx context.Context, s *session, c *catalogue, owner string) error {
	first := len(c.Relations)
	args := []driver.Value{owner}
	err := d.ask(ctx, s, &d.questions.tables, args, func(row []driver.Value) {
		r := d.relation(owner, sqlread.TextOf(row[0]), sqlread.KindTable)
		r.Why, r.Estimate = cmp.Or(sqlread.TextOf(row[2]), whyNotRead(r.Name)), numberOf(row[1])
		c.Relations = append(c.Relations, r)
	})
	if err != nil {
		return err
	}
	err = d.ask(ctx, s, &d.questions.stores, args, func(row []driver.Value) {
		name := sqlread.TextOf(row[0])
		for i := first; i < len(c.Relations); i++ {
			if c.Relations[i].Name == name {
				c.Relations[i].Kind = kindStore
			}
		}
	})
	if err != nil {
		return err
	}
	return d.ask(ctx, s, &d.questions.views, args, func(row []driver.Value) {
		c.Relations = append(c.Relations, d.relation(owner, sqlread.TextOf(row[0]), sqlread.KindView))
	})
}

// whyNotRead derives from a table's name why it is never read; "" if it can be read. The names are those that the
// server gives to dropped tables, to text indexes and to logs of materialized views.
func whyNotRead(name string) string {
	switch {
	case strings.HasPrefix(name, "BIN$"):
		return "was dropped, and is in the recycle bin"
	case strings.HasPrefix(name, "DR$"):
		return "belongs to an index"
	case strings.HasPrefix(name, "MLOG$_"), strings.HasPrefix(name, "RUPD$_"):
		return "is the log of a materialized view"
	}
	return ""
}

// ask queries the catalog in the best form that the server understands, and remembers that form.
func (d *database) ask(ctx context.Context, s *session, q *question, args []driver.Value, do func(row []driver.Value)) error {
	d.asking.Lock()
	next := q.next
	d.asking.Unlock()
	for {
		rows := 0
		err := s.Each(ctx, q.forms[next], args, func(row []driver.Value) {
			rows++
			do(row)
		})
		c := code(err)
		if err == nil || rows > 0 || next == len(q.forms)-1 || (c != codeNoColumn && c != codeNoTable) {
			return err
		}
		next++
		d.asking.Lock()
		q.next = max(q.next, next)
		d.asking.Unlock()
	}
}

// resolve upper-cases configured names that match nothing as written, as the
// server would.
func (d *database) resolve(c *catalogue) {
	raise := func(e *sqlread.Entry) {
		if !strings.Contains(e.Text, `"`) && !slices.ContainsFunc(c.Relations, func(r relation) bool { return d.matches(e, &r) }) {
			e.Raise()
		}
	}
	for _, entries := range [][]sqlread.Entry{d.set.tables.Entries, d.set.others.Entries} {
		for i := range entries {
			raise(&entries[i])
		}
	}
	for i := range d.Rules {
		for k := range d.Rules[i].Tables {
			raise(&d.Rules[i].Tables[k])
		}
	}
}

// matches reports whether an entry names the table. An entry without a schema means the user's own.
func (d *database) matches(e *sqlread.Entry, r *relation) bool {
	if e.Schema == (sqlread.Name{}) && r.Schema != d.set.owner {
		return false
	}
	return e.Match(r.Schema, r.Name)
}

// Wants implements [sqlread.Dialect].
func (d *database) Wants(r *relation) bool {
	list := &d.set.tables
	if r.Schema != d.set.owner {
		list = &d.set.others
	}
	return list.Asks(r)
}

// Unmatched implements [sqlread.Dialect]. A name without a schema means the user's own.
func (d *database) Unmatched(c *catalogue) (parts []source.Part) {
	own := slices.DeleteFunc(slices.Clone(c.Relations), func(r relation) bool { return r.Schema != d.set.owner })
	for _, e := range d.set.tables.Entries {
		among := own
		if e.Schema != (sqlread.Name{}) {
			among = c.Relations
		}
		one := d.set.tables.Of(e)
		parts = append(parts, d.Config.Unmatched(&one, among, d.missingTable)...)
	}
	return parts
}

// Select implements [sqlread.Dialect].
func (d *database) Select(c *catalogue, r *sqlread.Rule) (*sqlread.Selection, []string, error) {
	s, missing := r.Select(c.Relations, d.matches)
	return s, missing, nil
}

// Combined implements [sqlread.Dialect].
func (d *database) Combined(s *sqlread.Selection) relation {
	return relation{Scope: scopeName(shownOf(s.Tables))}
}

// shownOf returns the names of tables in messages.
func shownOf(tables []relation) (names []string) {
	for i := range tables {
		names = append(names, tables[i].Shown)
	}
	return names
}

func (d *database) missingTable(u sqlread.Unknown) source.Part {
	owner := u.Entry.Schema.Text
	if owner == "" {
		owner = d.set.owner
	}
	scope := scopeName([]string{shownName(d.set.owner, owner, u.Entry.Table.Text)})
	return u.Missing(scope, d.set.owner, ", or the user has no privilege on it", d.grant(owner, u.Entry.Table.Text))
}

// grant is the statement that lets the user read a table.
func (d *database) grant(owner, table string) string {
	return fmt.Sprintf("GRANT SELECT ON %s TO %s;", quote.Table(owner, table), quote.Ident(d.set.owner))
}

// numberOf is a number of the catalog; 0 if it is NULL. The driver returns numbers as text.
func numberOf(v driver.Value) int64 {
	n, err := strconv.ParseInt(sqlread.TextOf(v), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
