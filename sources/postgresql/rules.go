package postgresql

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Advanced rules: the results of queries are read instead of tables. A rule is a part that belongs to
// the tables that it names: they name its documents, and deletes are decided by them.

// selections returns a part for each rule.
func (d *database) selections(c *catalogue, snapshot string) (parts []*part, err error) {
	var missing []string
	for i := range d.Rules {
		s, lacks, err := d.Rules[i].SelectOne(quote, c.Relations)
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacks...)
		combined := s.Combined(quote)
		combined.Readable = true
		parts = append(parts, &part{db: d, Subject: sqlread.Subject{Rel: combined, Rule: s}, snapshot: snapshot, about: &sqlread.Described{}})
	}
	if len(missing) > 0 {
		return nil, sqlread.AbsentError(missing, c.Where, c.Hint)
	}
	return parts, nil
}

// Validate checks the advanced rules, without running their queries. Everything else that can be checked
// without reading was checked when the source was opened.
func (d *database) Validate(ctx context.Context) error {
	if len(d.Rules) == 0 {
		return nil
	}
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if err := d.beginTx(ctx, conn, ""); err != nil {
		return verdicts.Ask("begin a transaction", err)
	}
	c, err := d.catalogue(ctx, conn)
	if err != nil {
		return verdicts.Ask("list the tables", err)
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

// check checks whether the query of a rule only reads, and whether its rows can
// be identified. A missing privilege is not a configuration error: it fails only its part.
func (p *part) check(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		return p.tableError("check the query", err)
	}
	if err := p.db.beginTx(ctx, conn, ""); err != nil {
		return p.tableError("begin a transaction", err)
	}
	// Only a single query that changes no table and locks no row can be declared as a cursor of this
	// kind; preparing the declaration runs nothing.
	_, err := conn.PgConn().Prepare(ctx, "", "DECLARE c INSENSITIVE CURSOR FOR\n"+p.Rule.Query, nil)
	switch code := state(err); {
	case err == nil:
	case code == codeNoPrivilege:
		return nil
	case code == "" || temporary(code):
		return p.tableError("check the query", err)
	case code == codeNoTable || code == codeNoSchema:
		return p.queryError(err, "names are resolved by the search_path of the role; write schema.table")
	default:
		return p.queryError(err, "write one SELECT, WITH, TABLE or VALUES statement that only reads")
	}
	_, err = p.describe(ctx, conn, 0)
	if state(err) == codeNoPrivilege {
		return nil
	}
	return err
}
