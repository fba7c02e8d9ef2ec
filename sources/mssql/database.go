package mssql

import (
	"context"
	"database/sql/driver"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source, and SQL Server's dialect, see [sqlread.Dialect].
type database struct {
	*sqlread.Database[*session, driver.Value]
	set    settings
	driver msdsn.Config
	asUser atomic.Pointer[string] // the user's name in GRANT statements, once it is known
	// The state at the beginning of the run: the server is older than 2016; sessions have snapshots; tables that can
	// be read to take one.
	old      bool
	snapshot bool
	masked   sync.Map // scopes whose masked columns were logged
	// refusedHint is the hint for all tables that the user may not select from.
	refusedHint string
	pins        []string
}

// The types of this package's reader: values have the driver's types.
type (
	part       = sqlread.Part[*session, driver.Value]
	reader     = sqlread.Reader[*session, driver.Value]
	table      = sqlread.Table[driver.Value]
	column     = sqlread.Column[driver.Value]
	columnType = sqlread.Type[driver.Value]
	relation   = sqlread.Relation
	catalogue  = sqlread.Catalogue
)

var (
	_ source.Source                           = (*database)(nil)
	_ sqlread.Dialect[*session, driver.Value] = (*database)(nil)
)

func newDatabase(s settings, env source.Env) (*database, error) {
	c, err := quote.ReadConfig(env)
	if err != nil {
		return nil, err
	}
	d := &database{set: s, driver: driverConfig(s)}
	server := sqlread.Server{
		Product: "SQL Server", Timeout: connectTimeout, Stall: env.StallTimeout,
		Attempts: link.Attempts{Most: s.Attempts, Wait: pauseBefore, Enough: d.enough},
	}
	d.Database = sqlread.NewDatabase(d, c, server, verdicts)
	return d, nil
}

// Probe implements [sqlread.Dialect].
func (d *database) Probe(ctx context.Context, s *session) error { return s.Exec(ctx, pingQuery) }

// user is the reading user, as named in GRANT statements.
func (d *database) user() string {
	if u := d.asUser.Load(); u != nil {
		return quote.Ident(*u)
	}
	return quote.Ident(d.set.User)
}

// Begin takes the snapshots of the run, as many as can be used. SQL Server cannot share a snapshot, and
// reports only to administrators which transactions a snapshot includes: so all of them are taken in immediate
// succession. If there is no table to read for taking one, sessions have none.
func (d *database) Begin(ctx context.Context, first *session, tables []*part) ([]*part, error) {
	d.refusedHint = d.hintOfRefused(tables)
	d.pins = pinsOf(tables)
	d.snapshot = first.snapshots && len(d.pins) > 0
	sessions, err := d.More(ctx, first, len(tables))
	if err == nil && d.snapshot {
		err = d.beginAll(ctx, sessions)
	}
	if err := d.Fill(sessions, err); err != nil {
		return nil, err
	}
	switch {
	case len(tables) == 0:
	case !first.snapshots:
		d.warn(first)
	case d.snapshot && len(sessions) > 1:
		d.Log.Info("the snapshots of the connections may be some milliseconds apart", "connections", len(sessions))
	}
	return tables, nil
}

// warn explains the consequences of a database that allows no snapshots.
func (d *database) warn(first *session) {
	statement := "ALTER DATABASE " + quote.Ident(d.set.database) + " SET ALLOW_SNAPSHOT_ISOLATION ON;"
	if first.versions {
		d.Log.Warn("the database allows no snapshot isolation, so each table is read as of the moment its reading begins", "statement", statement)
		return
	}
	d.Log.Warn("the database allows no snapshot isolation, so each table is read while it changes: "+
		"this run may miss rows whose key changes in the meantime", "statement", statement)
}

// pinsOf are tables that can be read to take a snapshot: those that the user may read, preferably none that must
// be computed first, such as views.
func pinsOf(tables []*part) (pins []string) {
	var views []string
	for _, p := range tables {
		for _, r := range p.Tables() {
			from := fromOf(&r)
			switch {
			case !r.Readable || r.Unversioned || slices.Contains(pins, from) || slices.Contains(views, from):
			case r.IsTable():
				pins = append(pins, from)
			default:
				views = append(views, from)
			}
		}
	}
	return append(pins, views...)
}

// beginAll begins a transaction on all sessions, and then takes their snapshots.
func (d *database) beginAll(ctx context.Context, sessions []*session) error {
	for _, s := range sessions {
		if err := s.begin(ctx); err != nil {
			return d.Verdicts.Ask("begin a transaction", err)
		}
	}
	for _, s := range sessions {
		err := s.pin(ctx, d.pins)
		if answered(err) {
			return d.endAll(ctx, sessions, err)
		}
		if err != nil {
			return d.Verdicts.Ask("begin a transaction", err)
		}
	}
	return nil
}

// endAll continues without snapshots if none of the tables can be read. Each part reports why when it is read.
func (d *database) endAll(ctx context.Context, sessions []*session, cause error) error {
	d.Log.Warn("no table can be read to take a snapshot; continuing without one", "err", verdicts.Shorten(cause))
	d.snapshot = false
	for _, s := range sessions {
		if err := s.end(ctx); err != nil {
			return d.Verdicts.Ask("end the transaction", err)
		}
	}
	return nil
}
