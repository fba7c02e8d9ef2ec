package postgresql

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

const (
	connectTimeout = 15 * time.Second
	keepAlive      = 30 * time.Second
	hangUpTimeout  = 1500 * time.Millisecond
)

// driverConfig is the driver's configuration of a connection. The driver also reads the environment
// and files of the home folder as libpq does; everything they could set is set here, so that only the
// configuration counts.
func driverConfig(s settings, stall time.Duration) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig("host=localhost port=5432 user=x database=x password=x sslmode=disable " +
		"sslrootcert='' sslcert='' sslkey='' sslcertmode=disable sslnegotiation=postgres target_session_attrs=any channel_binding=prefer require_auth='' " +
		"min_protocol_version=3.0 max_protocol_version=3.0 connect_timeout=0")
	if err != nil {
		return nil, form.ConfigError(fmt.Errorf("the driver cannot use the PG… environment variables: %w", err), "unset them")
	}
	c.Host, c.Port, c.User, c.Password, c.Database = s.Host, uint16(s.Port), s.User, s.Password, s.database
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams = map[string]string{"application_name": "elastic-ingest", "client_encoding": "UTF8"}
	c.Fallbacks = nil
	c.TLSConfig = s.tls
	if s.tls == nil && !s.OnSocket() {
		// Encrypted if the server supports it, without verifying its identity; plain otherwise.
		c.TLSConfig = &tls.Config{InsecureSkipVerify: true, ServerName: s.Host} //nolint:gosec // ssl_enabled is off
		c.Fallbacks = []*pgconn.FallbackConfig{{Host: s.Host, Port: uint16(s.Port)}}
	}
	dialer := net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &link.Watched{Conn: conn, Limit: stall}, nil
	}
	// Poolers lose named statements between transactions, so none are used.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity, c.DescriptionCacheCapacity = 0, 0
	return c, nil
}

// attempts are the attempts to connect.
func (d *database) attempts() link.Attempts {
	return link.Attempts{Most: d.set.Attempts, Pause: d.pause, Worth: worthRetrying, Log: d.Log, Shorten: verdicts.Shorten}
}

// connect opens a connection. Temporary errors are retried.
func (d *database) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := link.Connect(ctx, d.attempts(), func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, d.driver) })
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return nil, d.connectError(err)
}

// hangUp closes a connection. If a statement was cut short, the driver asks the server to end it
// and closes the connection from its own goroutine, which is waited for, but not for long.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = conn.Close(ctx) // nothing was written, so nothing is lost
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
		_ = conn.PgConn().Conn().Close()
	}
}
