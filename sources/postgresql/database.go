package postgresql

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// database is the opened source.
type database struct {
	sqlread.Config
	set     settings
	driver  *pgx.ConnConfig
	pause   func(context.Context, time.Duration) error
	cutting cutting

	// control holds the snapshot that parts read from, from Parts to Close.
	control *pgx.Conn
	idle    idle
	mended  sqlread.Mended
	// unusable are the schemas without USAGE.
	unusable []string
	// refusedHint is the hint for all tables that the role may not select from.
	refusedHint string
	// apart is set once a part had to take its own snapshot, so that the warning is logged once.
	apart atomic.Bool
}

var _ source.Source = (*database)(nil)

func newDatabase(s settings, env source.Env) (*database, error) {
	driver, err := driverConfig(s, env.StallTimeout)
	if err != nil {
		return nil, err
	}
	c, err := quote.ReadConfig(env)
	if err != nil {
		return nil, err
	}
	return &database{
		Config: c, set: s, driver: driver, pause: link.Pause, cutting: cutting{blocks: rangeBlocks, most: mostRanges},
	}, nil
}

// Ping connects and selects a constant.
func (d *database) Ping(ctx context.Context) error {
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if _, err := conn.PgConn().Exec(ctx, "SELECT 1").ReadAll(); err != nil {
		return verdicts.Ask("select a constant", err)
	}
	return nil
}

// Close ends the snapshot and all connections.
func (d *database) Close() error {
	d.closeIdle()
	if d.control != nil {
		hangUp(context.Background(), d.control)
		d.control = nil
	}
	return nil
}

// Parts lists the tables in the catalog as of the snapshot of the run.
func (d *database) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return sqlread.Parts(ctx, d.list)
}

func (d *database) list(ctx context.Context) ([]source.Part, error) {
	snapshot, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	c, err := d.catalogue(ctx, d.control)
	if err != nil {
		return nil, verdicts.Ask("list the tables", err)
	}
	parts, err := d.plan(ctx, c, snapshot)
	if len(parts) == 0 && err == nil {
		d.Log.Warn("no table to read", "schema", d.set.schemas.String())
	}
	return parts, err
}

// begin opens the control connection and its transaction. It returns the name of its snapshot, ""
// if the server does not export one.
func (d *database) begin(ctx context.Context) (snapshot string, err error) {
	if d.control, err = d.connect(ctx); err != nil {
		return "", err
	}
	if err := d.beginTx(ctx, d.control, ""); err != nil {
		return "", verdicts.Ask("begin a transaction", err)
	}
	err = d.control.QueryRow(ctx, "SELECT pg_catalog.pg_export_snapshot()").Scan(&snapshot)
	switch {
	case err == nil:
		return snapshot, nil
	case state(err) == "" || temporary(state(err)):
		return "", verdicts.Ask("export the snapshot", err)
	}
	d.readApart(err)
	if _, err := d.control.Exec(ctx, "ROLLBACK"); err != nil {
		return "", verdicts.Ask("begin a transaction again", err)
	}
	if err := d.beginTx(ctx, d.control, ""); err != nil {
		return "", verdicts.Ask("begin a transaction again", err)
	}
	return "", nil
}

// readApart logs, once, that tables are read from their own snapshots.
func (d *database) readApart(err error) {
	if !d.apart.Swap(true) {
		d.Log.Warn("tables cannot share a snapshot; each is read as of the moment its reading begins", "err", verdicts.Shorten(err))
	}
}

// session is the settings of a transaction that make values have the same form, whatever the server, the
// database or the role sets. They are local to the transaction, so that they work through poolers.
const session = `SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 3;
SET LOCAL xmloption = 'content';
SET LOCAL row_security = on;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
`

// beginTx begins a read-only transaction on one snapshot: the named one, or its own, which
// is taken with the first query. In the encoding compat money is written in the
// database's locale.
func (d *database) beginTx(ctx context.Context, conn *pgx.Conn, snapshot string) error {
	var b strings.Builder
	b.WriteString("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n")
	if snapshot != "" {
		b.WriteString("SET TRANSACTION SNAPSHOT '" + strings.ReplaceAll(snapshot, "'", "''") + "';\n")
	}
	b.WriteString(session)
	if !d.Compat {
		b.WriteString("SET LOCAL lc_monetary = 'C';\n")
	}
	if conn.PgConn().ParameterStatus("server_encoding") == "SQL_ASCII" {
		// Such a database accepts any bytes. With UTF-8 the server would check them, and an invalid
		// byte would end the statement.
		b.WriteString("SET LOCAL client_encoding = 'SQL_ASCII';\n")
	}
	if serverVersion(conn.PgConn().ParameterStatus("server_version")) >= 17 {
		b.WriteString("SET LOCAL transaction_timeout = 0;\n")
	}
	_, err := conn.PgConn().Exec(ctx, b.String()).ReadAll()
	return err
}

// serverVersion is the major version in a text such as "15.18 (Debian …)" or "17beta1".
func serverVersion(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	n, err := strconv.Atoi(text[:end])
	if err != nil {
		return 0
	}
	return n
}
