package mysql

import (
	"context"
	"database/sql/driver"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source.
type database struct {
	set       settings
	driver    *mysql.Config
	dial      dialer
	stall     time.Duration
	log       *slog.Logger
	idColumns map[string][]string
	rules     []sqlread.Rule
	profile   sqlread.Profile
	compat    bool // the encoding is compat
	idsOnly   bool
	pause     func(context.Context, time.Duration) error
	cutting   cutting

	snapshots *sqlread.Pool[*session]
	asUser    atomic.Pointer[string] // as grants name the user, once it is known
	// apart is set once a part had to take a snapshot of its own, so that this is said once.
	apart  atomic.Bool
	mended sqlread.Mended
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
		profile: profile, compat: compat, idsOnly: env.IDsOnly, pause: link.Pause,
		cutting: cutting{bytes: rangeBytes, most: mostRanges}, snapshots: sqlread.NewPool[*session](),
	}, nil
}

// Ping connects and asks for a constant.
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	if err := s.Exec(ctx, "SELECT 1"); err != nil {
		return askError("ask the server for a constant", err)
	}
	return nil
}

// account is the user as grants name it.
func (d *database) account() string {
	if a := d.asUser.Load(); a != nil {
		return *a
	}
	return quoteText(d.set.user)
}

func (d *database) setAccount(account string) { d.asUser.Store(&account) }

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
	shares := 0
	for _, p := range tables {
		shares += int(p.shares())
	}
	if err := d.begin(ctx, first, shares); err != nil {
		return nil, err
	}
	tables = d.cut(ctx, first, tables)
	d.release(ctx, first)
	for _, p := range tables {
		others = append(others, p)
	}
	if len(others) == 0 {
		d.log.Warn("there is no table to read", "database", d.set.database)
	}
	return others, nil
}

// beginnings is how often it is tried to take the snapshots while nobody writes.
const beginnings = 20

// begin takes the snapshots of the run, as many as can be of use. MySQL has no way to share one, so
// that all of them are taken between two looks at how much the server has written to its log; where that
// is the same, they are of one instant.
func (d *database) begin(ctx context.Context, first *session, parts int) error {
	sessions, err := sqlread.More(ctx, first, parts, d.connect, tooMany, d.log)
	same := false
	for n := 0; n < beginnings && err == nil && !same; n++ {
		if same, err = beginAll(ctx, sessions); err != nil {
			err = askError("begin a transaction", err)
		}
	}
	if err != nil {
		for _, s := range sessions {
			s.HangUp()
		}
		return err
	}
	if !same {
		d.log.Info("the server writes all the time, so the snapshots of the connections may be some milliseconds apart", "connections", len(sessions))
	}
	for _, s := range sessions {
		d.snapshots.Add()
		if s != first {
			d.snapshots.Put(s)
		}
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

// written tells how much the server has written to the log of InnoDB, in which every change is before
// anybody sees it. The names are those of MariaDB, of MySQL since 8.0.30, and of MySQL before.
func (s *session) written(ctx context.Context) (string, error) {
	var b strings.Builder
	err := s.Each(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_lsn_current', 'Innodb_redo_log_current_lsn', 'Innodb_log_write_requests')", nil,
		func(row []driver.Value) { b.WriteString(sqlread.TextOf(row[0]) + "=" + sqlread.TextOf(row[1]) + " ") })
	return b.String(), err
}

// askError is the error of a question that is not about one table.
func askError(doing string, err error) error { return link.AskError(doing, err, kindOf, told) }
