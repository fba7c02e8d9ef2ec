package mssql

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source.
type database struct {
	set       settings
	driver    msdsn.Config
	dial      dialer
	stall     time.Duration
	log       *slog.Logger
	idColumns map[string][]string
	rules     []sqlread.Rule
	profile   sqlread.Profile
	compat    bool // the encoding is compat
	idsOnly   bool
	pause     func(context.Context, time.Duration) error

	snapshots *sqlread.Pool[*session]
	asUser    atomic.Pointer[string] // as grants name the user, once it is known
	// What the run began with: the server is older than 2016; sessions have snapshots; tables whose reading
	// takes one.
	old      bool
	snapshot bool
	masked   sync.Map // scopes whose masked columns were named
	// refusedHint is the hint of all tables that the user may not select from.
	refusedHint string
	pins        []string
	// apart is set once a part had to take a snapshot of its own, so that this is said once.
	apart atomic.Bool
}

var _ source.Source = (*database)(nil)

func newDatabase(s settings, env source.Env) (*database, error) {
	rules, err := quote.ParseRules(env.AdvancedRules)
	if err != nil {
		return nil, err
	}
	profile, err := sqlread.ProfileOf(env)
	if err != nil {
		return nil, err
	}
	compat, err := sqlread.Compatible(env)
	if err != nil {
		return nil, err
	}
	return &database{
		set: s, driver: driverConfig(s), dial: dial, stall: env.StallTimeout, log: env.Log, idColumns: env.IDColumns, rules: rules,
		profile: profile, compat: compat, idsOnly: env.IDsOnly, pause: link.Pause, snapshots: sqlread.NewPool[*session](),
	}, nil
}

// Ping connects and asks for a constant.
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	if err := s.Exec(ctx, pingQuery); err != nil {
		return askError("ask the server for a constant", err)
	}
	return nil
}

// user is who reads, as grants name him.
func (d *database) user() string {
	if u := d.asUser.Load(); u != nil {
		return quote.Ident(*u)
	}
	return quote.Ident(d.set.username)
}

func (d *database) setUser(user string) { d.asUser.Store(&user) }

// Close ends all snapshots and connections.
func (d *database) Close() error {
	d.snapshots.Close()
	return nil
}

// Parts lists the tables that exist, and takes the snapshots of the run before it yields the first.
func (d *database) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return sqlread.Parts(ctx, d.list)
}

// list lists the parts. The session that it begins with is one of those that the parts read with.
func (d *database) list(ctx context.Context) ([]source.Part, error) {
	first, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	c, err := d.catalogue(ctx, first)
	if err != nil {
		first.HangUp()
		return nil, askError("list the tables", err)
	}
	tables, others, err := d.plan(c)
	if err != nil {
		first.HangUp()
		return nil, err
	}
	if err := d.begin(ctx, first, tables); err != nil {
		return nil, err
	}
	for _, p := range tables {
		others = append(others, p)
	}
	if len(others) == 0 {
		d.log.Warn("there is no table to read", "schema", d.set.schemas.String())
	}
	return others, nil
}

// begin takes the snapshots of the run, as many as can be of use. SQL Server has no way to share one, and
// tells only administrators which transactions one has seen the end of: so all of them are taken one right
// after the other. Where there is nothing whose reading could take one, sessions have none.
func (d *database) begin(ctx context.Context, first *session, tables []*part) error {
	d.pins = pinsOf(tables)
	d.snapshot = first.snapshots && len(d.pins) > 0
	sessions, err := sqlread.More(ctx, first, len(tables), d.connect, tooMany, d.log)
	if err == nil && d.snapshot {
		err = d.beginAll(ctx, sessions)
	}
	if err != nil {
		for _, s := range sessions {
			s.HangUp()
		}
		return err
	}
	switch {
	case len(tables) == 0:
	case !first.snapshots:
		d.warn(first)
	case d.snapshot && len(sessions) > 1:
		d.log.Info("the snapshots of the connections may be some milliseconds apart", "connections", len(sessions))
	}
	for _, s := range sessions {
		d.snapshots.Add()
		d.snapshots.Put(s)
	}
	return nil
}

// warn says what it means that the database allows no snapshots.
func (d *database) warn(first *session) {
	statement := "ALTER DATABASE " + quote.Ident(d.set.database) + " SET ALLOW_SNAPSHOT_ISOLATION ON;"
	if first.versions {
		d.log.Warn("the database allows no snapshot isolation, so each table is read as of the moment when its reading begins", "statement", statement)
		return
	}
	d.log.Warn("the database allows no snapshot isolation, so each table is read as it is while it is read: "+
		"of rows whose key is changed meanwhile, this run may miss some", "statement", statement)
}

// pinsOf are tables whose reading takes a snapshot: those that the user may read, and rather none that has
// to be made first, as views have.
func pinsOf(tables []*part) (pins []string) {
	var views []string
	for _, p := range tables {
		for _, r := range p.named() {
			from := r.from()
			switch {
			case !r.readable || r.memory || slices.Contains(pins, from) || slices.Contains(views, from):
			case r.isTable():
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
			return askError("begin a transaction", err)
		}
	}
	for _, s := range sessions {
		err := s.pin(ctx, d.pins)
		if answered(err) {
			return d.endAll(ctx, sessions, err)
		}
		if err != nil {
			return askError("begin a transaction", err)
		}
	}
	return nil
}

// endAll goes on without snapshots where none of the tables can be read. Each says why when it is its turn.
func (d *database) endAll(ctx context.Context, sessions []*session, cause error) error {
	d.log.Warn("no table could be read to take a snapshot, so there is none", "err", told(cause))
	d.snapshot = false
	for _, s := range sessions {
		if err := s.end(ctx); err != nil {
			return askError("end the transaction", err)
		}
	}
	return nil
}

// askError is the error of a question that is not about one table.
func askError(doing string, err error) error { return link.AskError(doing, err, kindOf, told) }
