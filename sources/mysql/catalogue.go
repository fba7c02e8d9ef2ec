package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// catalogue is what exists in the database, as far as the user may know.
type catalogue struct{ relations []relation }

// relation is a table or a view.
type relation struct {
	name     string
	match    string // the name that the table list is compared with
	view     bool
	engine   string
	estimate int64 // rows; 0 when unknown
	bytes    int64 // of the rows; 0 when unknown
	// versioned reports whether the server keeps older versions of the rows in the table.
	versioned bool
}

// isTable reports whether it holds its rows itself. A view has no key and may be costly to read, so it
// has to be named.
func (r *relation) isTable() bool { return !r.view }

// what names the kind in a sentence.
func (r *relation) what() string {
	if r.view {
		return "view"
	}
	return "table"
}

// hasSnapshots reports whether the storage keeps older versions of rows for those who read.
func (r *relation) hasSnapshots() bool {
	switch strings.ToLower(r.engine) {
	case "innodb", "xtradb", "rocksdb":
		return true
	}
	return false
}

// Sequences of MariaDB and temporary tables are of types of their own.
const relationsQuery = `
SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW', 'SYSTEM VIEW')
ORDER BY TABLE_NAME`

// catalogue asks what exists. The server shows tables only to those who have some right on them.
func (d *database) catalogue(ctx context.Context, s *session) (*catalogue, error) {
	if s.folds {
		d.fold()
	}
	d.setAccount(s.account)
	c := &catalogue{}
	err := s.Each(ctx, relationsQuery, []driver.Value{d.set.database}, func(row []driver.Value) {
		kind := sqlread.TextOf(row[1])
		r := relation{name: sqlread.TextOf(row[0]), view: strings.HasSuffix(kind, "VIEW"), versioned: kind == "SYSTEM VERSIONED", engine: sqlread.TextOf(row[2]), estimate: sqlread.NumberOf(row[3]), bytes: sqlread.NumberOf(row[4])}
		if r.match = r.name; s.folds {
			r.match = strings.ToLower(r.name)
		}
		c.relations = append(c.relations, r)
	})
	return c, err
}

// fold takes the letter case off the names that are configured.
func (d *database) fold() {
	for i := range d.set.tables.Entries {
		d.set.tables.Entries[i].Fold()
	}
	for i := range d.rules {
		for k := range d.rules[i].Tables {
			d.rules[i].Tables[k].Fold()
		}
	}
}

// matches reports whether an entry names the table. The database may stand before it.
func (d *database) matches(e *sqlread.Entry, r *relation) bool {
	return e.Match(d.set.database, r.match)
}

// plan makes the parts: one for each table that is asked for, and one that fails for each name that
// does not exist.
func (d *database) plan(c *catalogue) (tables []*part, missing []source.Part, err error) {
	if len(d.rules) > 0 {
		tables, err = d.selections(c)
		return tables, nil, err
	}
	for i := range c.relations {
		if r := &c.relations[i]; d.wants(r) {
			tables = append(tables, &part{db: d, rel: *r, scope: scopeName([]string{r.name}), about: &sqlread.Described{}})
		}
	}
	return tables, d.missingTables(c), nil
}

// wants reports whether the configuration asks for it.
func (d *database) wants(r *relation) bool {
	if !r.isTable() && !d.set.tables.Names(d.set.database, r.match) {
		return false
	}
	return d.set.tables.Wants(d.set.database, r.match)
}

// missingTables reports names of the table list that no table has.
func (d *database) missingTables(c *catalogue) (parts []source.Part) {
	var known []sqlread.Known
	for i := range c.relations {
		r := &c.relations[i]
		known = append(known, sqlread.Known{Schema: d.set.database, Name: r.match, Table: r.isTable()})
	}
	for _, u := range d.set.tables.Unknown(known, d.log) {
		parts = append(parts, d.missingTable(u))
	}
	return parts
}

func (d *database) missingTable(u sqlread.Unknown) source.Part {
	scope := scopeName([]string{u.Entry.Table.Text})
	if schema := u.Entry.Schema; schema != (sqlread.Name{}) && schema.Text != d.set.database {
		scope = quote.Dotted(schema.Text) + "." + scope
	}
	return u.Missing(scope, d.set.database, fmt.Sprintf(" in database %q, or the user may not know of it", d.set.database),
		fmt.Sprintf("GRANT SELECT ON %s TO %s;", quote.Table(d.set.database, u.Entry.Table.Text), d.account()))
}
