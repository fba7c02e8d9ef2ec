package postgresql

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	connectTimeout = 15 * time.Second
	keepAlive      = 30 * time.Second
	longestPause   = time.Minute
	hangUpTimeout  = 1500 * time.Millisecond
)

// driverConfig is the driver's configuration of a connection. The driver also reads the environment
// and files of the home folder as libpq does; all they could decide is given here, because what is
// configured is what is meant.
func driverConfig(s settings, stall time.Duration) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig("host=localhost port=5432 user=x database=x password=x sslmode=disable " +
		"sslrootcert='' sslcert='' sslkey='' sslcertmode=disable sslnegotiation=postgres target_session_attrs=any channel_binding=prefer require_auth='' " +
		"min_protocol_version=3.0 max_protocol_version=3.0 connect_timeout=0")
	if err != nil {
		return nil, configError(fmt.Errorf("the driver does not start with the variables PG… of the environment: %w", err), "unset them")
	}
	c.Host, c.Port, c.User, c.Password, c.Database = s.host, s.port, s.username, s.password, s.database
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams = map[string]string{"application_name": "elastic-ingest", "client_encoding": "UTF8"}
	c.Fallbacks = nil
	c.TLSConfig = s.tls
	if s.tls == nil && !strings.HasPrefix(s.host, "/") {
		// Encrypted where the server can, though anybody could be the server; plain otherwise.
		c.TLSConfig = &tls.Config{InsecureSkipVerify: true, ServerName: s.host} //nolint:gosec // ssl_enabled is off
		c.Fallbacks = []*pgconn.FallbackConfig{{Host: s.host, Port: s.port}}
	}
	dialer := net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: conn, limit: stall}, nil
	}
	// Poolers lose named statements between transactions, so none is made.
	c.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.StatementCacheCapacity, c.DescriptionCacheCapacity = 0, 0
	return c, nil
}

// connect opens a connection. What may pass is tried again, with pauses that grow.
func (d *database) connect(ctx context.Context) (*pgx.Conn, error) {
	for attempt := 1; ; attempt++ {
		conn, err := pgx.ConnectConfig(ctx, d.driver)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("connect to PostgreSQL: %w", ctx.Err())
		case attempt >= d.set.attempts || !worthRetrying(err):
			return nil, d.connectError(err)
		}
		d.log.Debug("the server does not answer; trying again", "attempt", attempt, "err", told(err))
		if err := d.backOff(ctx, attempt); err != nil {
			return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
		}
	}
}

// backOff waits before another attempt, a random time that grows with their number.
func (d *database) backOff(ctx context.Context, attempt int) error {
	return d.pause(ctx, rand.N(min(longestPause, time.Second<<min(attempt, 10)))+time.Millisecond)
}

// pause waits, or returns early with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hangUp closes a connection. When a statement was cut short, the driver asks the server to end it
// and closes the connection from a goroutine of its own, which is waited for, but not for long.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = conn.Close(ctx) // nothing was written that could be lost
	select {
	case <-conn.PgConn().CleanupDone():
	case <-ctx.Done():
		_ = conn.PgConn().Conn().Close()
	}
}

// stallError is why a read ends when the server is silent for too long. It is a timeout, so that the
// driver hands it on rather than the mere fact that the connection is closed.
type stallError struct{ limit time.Duration }

func (e *stallError) Error() string {
	return fmt.Sprintf("the server has sent nothing for %v, the stall timeout", e.limit)
}

// Timeout makes it a [net.Error].
func (e *stallError) Timeout() bool { return true }

// Temporary makes it a [net.Error].
func (e *stallError) Temporary() bool { return true }

// watchedConn ends a read that takes longer than limit. Only reading counts: while nobody asks for
// bytes, because the rows that came are still being worked on, no time passes.
type watchedConn struct {
	net.Conn
	limit time.Duration // 0 is for ever

	mu       sync.Mutex
	deadline time.Time // set by the driver, such as when a context is over; zero is none
	stalled  error     // once it happened, every read says so
}

// Read reads; see [watchedConn].
func (c *watchedConn) Read(b []byte) (int, error) {
	if c.limit <= 0 {
		return c.Conn.Read(b)
	}
	ours, err := c.arm()
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if ours && errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.expired(err)
	}
	return n, err
}

// arm sets the deadline of a read: ours, unless the driver's comes before it.
func (c *watchedConn) arm() (ours bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stalled != nil {
		return false, c.stalled
	}
	deadline := time.Now().Add(c.limit)
	if !c.deadline.IsZero() && c.deadline.Before(deadline) {
		return false, c.Conn.SetReadDeadline(c.deadline)
	}
	return true, c.Conn.SetReadDeadline(deadline)
}

// expired tells whose deadline ended a read: the driver may have set one since the read began.
func (c *watchedConn) expired(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return err
	}
	c.stalled = &stallError{c.limit}
	return c.stalled
}

// SetDeadline remembers the driver's deadline, which a read must not push back.
func (c *watchedConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline is like [watchedConn.SetDeadline] for reads.
func (c *watchedConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return c.Conn.SetReadDeadline(t)
}
