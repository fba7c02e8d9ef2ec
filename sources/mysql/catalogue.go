package mysql

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

// hasSnapshots reports whether a storage engine keeps older row versions for readers.
func hasSnapshots(engine string) bool {
	switch strings.ToLower(engine) {
	case "innodb", "xtradb", "rocksdb":
		return true
	}
	return false
}

// Sequences of MariaDB and temporary tables have their own types.
const relationsQuery = `
SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW', 'SYSTEM VIEW')
ORDER BY TABLE_NAME`

// Catalogue reads the catalog. The server shows tables only to users with a privilege on them.
func (d *database) Catalogue(ctx context.Context, s *session) (*catalogue, error) {
	if s.folds {
		d.fold()
	}
	d.asUser.Store(&s.account)
	c := d.noTables()
	err := s.Each(ctx, relationsQuery, []driver.Value{d.set.database}, func(row []driver.Value) {
		name, typ, engine := sqlread.TextOf(row[0]), sqlread.TextOf(row[1]), sqlread.TextOf(row[2])
		r := relation{
			Name: name, Kind: sqlread.KindTable, Shown: name, Scope: scopeName([]string{name}), Entry: [2]string{"", name}, Match: [2]string{d.set.database, name},
			Estimate: sqlread.NumberOf(row[3]), Size: sqlread.NumberOf(row[4]), Storage: engine, Unversioned: !hasSnapshots(engine), History: typ == "SYSTEM VERSIONED",
		}
		if strings.HasSuffix(typ, "VIEW") {
			r.Kind = sqlread.KindView
		}
		if s.folds {
			r.Match[1] = strings.ToLower(name)
		}
		c.Relations = append(c.Relations, r)
	})
	return c, err
}

// noTables is a catalog without tables.
func (d *database) noTables() *catalogue {
	return &catalogue{
		In: slog.String("database", d.set.database), Where: fmt.Sprintf(" in database %q, or the user has no privilege on it", d.set.database),
		Hint: "correct tables: of the rules, or grant SELECT on the tables",
	}
}

// fold lower-cases the configured names.
func (d *database) fold() {
	for i := range d.set.tables.Entries {
		d.set.tables.Entries[i].Fold()
	}
	for i := range d.Rules {
		for k := range d.Rules[i].Tables {
			d.Rules[i].Tables[k].Fold()
		}
	}
}

// matches reports whether an entry names the table. The entry may include the database.
func (d *database) matches(e *sqlread.Entry, r *relation) bool {
	known := r.Known()
	return e.Match(d.set.database, known.Name)
}

// Wants implements [sqlread.Dialect].
func (d *database) Wants(r *relation) bool { return d.set.tables.Asks(r) }

// Unmatched implements [sqlread.Dialect].
func (d *database) Unmatched(c *catalogue) []source.Part {
	return d.Config.Unmatched(&d.set.tables, c.Relations, d.missingTable)
}

// Select implements [sqlread.Dialect].
func (d *database) Select(c *catalogue, r *sqlread.Rule) (*sqlread.Selection, []string, error) {
	s, missing := r.Select(c.Relations, d.matches)
	return s, missing, nil
}

// Combined implements [sqlread.Dialect]. Ids have the sorted names.
func (d *database) Combined(s *sqlread.Selection) relation {
	return relation{Name: strings.Join(slices.Sorted(slices.Values(s.Names())), "_"), Scope: scopeName(s.Names())}
}

func (d *database) missingTable(u sqlread.Unknown) source.Part {
	scope := scopeName([]string{u.Entry.Table.Text})
	if schema := u.Entry.Schema; schema != (sqlread.Name{}) && schema.Text != d.set.database {
		scope = quote.Dotted(schema.Text) + "." + scope
	}
	return u.Missing(scope, d.set.database, fmt.Sprintf(" in database %q, or the user has no privilege on it", d.set.database),
		fmt.Sprintf("GRANT SELECT ON %s TO %s;", quote.Table(d.set.database, u.Entry.Table.Text), d.account()))
}
