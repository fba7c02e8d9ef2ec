package mysql

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source, and MySQL's dialect, see [sqlread.Dialect].
type database struct {
	*sqlread.Database[*session, *cell]
	set     settings
	driver  *mysql.Config
	cutting cutting
	asUser  atomic.Pointer[string] // the user's name in GRANT statements, once it is known
}

// The types of this package's reader: a value is a cell.
type (
	part       = sqlread.Part[*session, *cell]
	reader     = sqlread.Reader[*session, *cell]
	table      = sqlread.Table[*cell]
	column     = sqlread.Column[*cell]
	columnType = sqlread.Type[*cell]
	relation   = sqlread.Relation
	catalogue  = sqlread.Catalogue
)

var (
	_ source.Source                    = (*database)(nil)
	_ sqlread.Dialect[*session, *cell] = (*database)(nil)
)

func newDatabase(s settings, env source.Env) (*database, error) {
	c, err := quote.ReadConfig(env)
	if err != nil {
		return nil, err
	}
	d := &database{set: s, driver: driverConfig(s), cutting: cutting{bytes: rangeBytes, most: mostRanges}}
	server := sqlread.Server{
		Product: "MySQL", Timeout: connectTimeout, Stall: env.StallTimeout, Attempts: link.Attempts{Most: s.Attempts},
	}
	d.Database = sqlread.NewDatabase(d, c, server, verdicts)
	return d, nil
}

// Probe implements [sqlread.Dialect].
func (d *database) Probe(ctx context.Context, s *session) error { return s.Exec(ctx, "SELECT 1") }

// account is the user as named in GRANT statements.
func (d *database) account() string {
	if a := d.asUser.Load(); a != nil {
		return *a
	}
	return quoteText(d.set.User)
}

// Begin implements [sqlread.Dialect].
func (d *database) Begin(ctx context.Context, first *session, tables []*part) ([]*part, error) {
	shares := 0
	for _, p := range tables {
		shares += int(d.shares(p))
	}
	if err := d.begin(ctx, first, shares); err != nil {
		return nil, err
	}
	tables = d.cut(ctx, first, tables)
	d.Release(ctx, first)
	return tables, nil
}

// beginnings is how often begin tries to take the snapshots without a write in between.
const beginnings = 20

// begin takes the snapshots of the run, as many as can be used. MySQL cannot share one, so
// it checks before and after how much the server has written to its log; if that
// is the same, the snapshots show the same instant.
func (d *database) begin(ctx context.Context, first *session, parts int) error {
	sessions, err := d.More(ctx, first, parts)
	same := false
	for n := 0; n < beginnings && err == nil && !same; n++ {
		if same, err = beginAll(ctx, sessions); err != nil {
			err = d.Verdicts.Ask("begin a transaction", err)
		}
	}
	if err := d.Fill(sessions[1:], err); err != nil {
		first.HangUp()
		return err
	}
	d.Snapshots.Add() // the first one, which the parts are cut with
	if !same {
		d.Log.Info("the server writes continuously, so the snapshots of the connections may be some milliseconds apart", "connections", len(sessions))
	}
	return nil
}

// beginAll begins a transaction on all sessions. It reports whether they have the same snapshot.
func beginAll(ctx context.Context, sessions []*session) (same bool, err error) {
	for _, s := range sessions {
		if err := s.Exec(ctx, "ROLLBACK"); err != nil {
			return false, err
		}
	}
	before, err := sessions[0].written(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range sessions {
		if err := s.begin(ctx); err != nil {
			return false, err
		}
	}
	after, err := sessions[0].written(ctx)
	return len(sessions) == 1 || before == after && before != "", err
}

// written returns how much the server has written to InnoDB's log, which contains every change before
// it becomes visible. The names are those of MariaDB, of MySQL since 8.0.30, and of earlier MySQL.
func (s *session) written(ctx context.Context) (string, error) {
	var b strings.Builder
	err := s.Each(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_lsn_current', 'Innodb_redo_log_current_lsn', 'Innodb_log_write_requests')", nil,
		func(row []driver.Value) { b.WriteString(sqlread.TextOf(row[0]) + "=" + sqlread.TextOf(row[1]) + " ") })
	return b.String(), err
}
