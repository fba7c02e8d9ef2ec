package oracle

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source.
type database struct {
	set       settings
	driver    *configurations.ConnectionConfig
	dial      dialer
	stall     time.Duration
	log       *slog.Logger
	idColumns map[string][]string
	rules     []sqlread.Rule
	profile   sqlread.Profile
	compat    bool // the encoding is compat
	idsOnly   bool
	pause     func(context.Context, time.Duration) error

	asking    sync.Mutex // guards what questions remembers
	questions *questions

	snapshots  *sqlread.Pool[*session]
	moment     moment      // that the run reads as of
	apart      atomic.Bool // it was said that a part is read from another snapshot
	refusedSCN atomic.Bool // it was said that a change number is of no use
	told       sync.Map    // columns of which something was said
	mended     sqlread.Mended
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
	c, err := driverConfig(s)
	if err != nil {
		return nil, err
	}
	if len(s.idle) > 0 {
		env.Log.Warn("keys of the configuration have no effect: no client of Oracle is needed, and a wallet is for TCPS only", "keys", strings.Join(s.idle, ", "))
	}
	return &database{
		set: s, driver: c, dial: dial, stall: env.StallTimeout, log: env.Log, idColumns: env.IDColumns, rules: rules,
		profile: profile, compat: compat, idsOnly: env.IDsOnly, pause: link.Pause,
		questions: newQuestions(), snapshots: sqlread.NewPool[*session](),
	}, nil
}

// Ping connects and asks for a constant.
func (d *database) Ping(ctx context.Context) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	if err := s.Each(ctx, pingQuery, nil, func([]driver.Value) {}); err != nil {
		return askError("ask the server for a constant", err)
	}
	return nil
}

const pingQuery = "SELECT 1 FROM DUAL"

// Close ends all snapshots and connections.
func (d *database) Close() error {
	d.snapshots.Close()
	return nil
}

// Parts lists the tables that exist, and settles the moment of the run before it yields the first.
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
	tables, parts, err := d.plan(c)
	if err != nil {
		first.HangUp()
		return nil, err
	}
	if err := d.begin(ctx, first, len(tables)); err != nil {
		return nil, err
	}
	for _, p := range tables {
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		d.log.Warn("there is no table to read", "schema", d.set.owner)
	}
	return parts, nil
}

// begin settles the moment that the run reads as of. Where the user may not know the change number, and for
// the queries of rules, there are transactions in its place, all of which begin now.
func (d *database) begin(ctx context.Context, first *session, parts int) error {
	scn, err := first.scn(ctx)
	if err != nil {
		first.HangUp()
		return askError("ask for the system change number", err)
	}
	d.moment = moment{scn: scn}
	sessions := []*session{first}
	if scn == "" || len(d.rules) > 0 {
		if sessions, err = sqlread.More(ctx, first, parts, d.connect, tooMany, d.log); err == nil && len(sessions) > 1 {
			d.log.Info("parts are read in several transactions, whose snapshots may be some milliseconds apart", "connections", len(sessions))
		}
	}
	if scn == "" && len(d.rules) == 0 {
		d.log.Info("the user may not know the system change number, so tables are not read as of one moment",
			"grant", fmt.Sprintf("GRANT EXECUTE ON DBMS_FLASHBACK TO %s;", quote.Ident(d.set.owner)))
	}
	for _, s := range sessions {
		if err == nil {
			if err = s.begin(ctx); err != nil {
				err = askError("begin a transaction", err)
			}
		}
	}
	for _, s := range sessions {
		if err != nil {
			s.HangUp()
			continue
		}
		d.snapshots.Add()
		d.snapshots.Put(s)
	}
	return err
}

// askError is the error of a question that is not about one table.
func askError(doing string, err error) error { return link.AskError(doing, err, kindOf, told) }
