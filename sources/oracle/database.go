package oracle

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source, and Oracle's dialect, see [sqlread.Dialect].
type database struct {
	*sqlread.Database[*session, driver.Value]
	set    settings
	driver *configurations.ConnectionConfig

	asking    sync.Mutex // guards the forms that questions remembers
	questions *questions

	moment     moment      // the state that the run reads
	refusedSCN atomic.Bool // it was logged that change numbers cannot be used
	logged     sync.Map    // columns with a logged message
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
	config, err := driverConfig(s)
	if err != nil {
		return nil, err
	}
	if len(s.idle) > 0 {
		env.Log.Warn("configuration keys have no effect: no Oracle client is needed, and a wallet is for TCPS only", "keys", strings.Join(s.idle, ", "))
	}
	d := &database{set: s, driver: config, questions: newQuestions()}
	server := sqlread.Server{
		Product: "Oracle", Timeout: connectTimeout, Stall: env.StallTimeout, Attempts: link.Attempts{Most: s.Attempts, Worth: worthRetrying},
	}
	d.Database = sqlread.NewDatabase(d, c, server, verdicts)
	return d, nil
}

const pingQuery = "SELECT 1 FROM DUAL"

// Probe implements [sqlread.Dialect].
func (d *database) Probe(ctx context.Context, s *session) error {
	return s.Each(ctx, pingQuery, nil, func([]driver.Value) {})
}

// Begin determines the moment that the run reads as of. If the user may not read the change number, and for
// the queries of rules, it begins transactions instead, all of them now.
func (d *database) Begin(ctx context.Context, first *session, tables []*part) ([]*part, error) {
	scn, err := first.scn(ctx)
	if err != nil {
		first.HangUp()
		return nil, d.Verdicts.Ask("read the system change number", err)
	}
	d.moment = moment(scn)
	sessions := []*session{first}
	if scn == "" || len(d.Rules) > 0 {
		if sessions, err = d.More(ctx, first, len(tables)); err == nil && len(sessions) > 1 {
			d.Log.Info("reading parts in several transactions, whose snapshots may be some milliseconds apart", "connections", len(sessions))
		}
	}
	if scn == "" && len(d.Rules) == 0 {
		d.Log.Info("the user may not read the system change number, so tables are not read as of one moment",
			"grant", fmt.Sprintf("GRANT EXECUTE ON DBMS_FLASHBACK TO %s;", quote.Ident(d.set.owner)))
	}
	for _, s := range sessions {
		if err == nil {
			if err = s.begin(ctx); err != nil {
				err = d.Verdicts.Ask("begin a transaction", err)
			}
		}
	}
	return tables, d.Fill(sessions, err)
}
