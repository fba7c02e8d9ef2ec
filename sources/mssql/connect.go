package mssql

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	connectTimeout = 30 * time.Second // the least that Microsoft advises for Azure
	hangUpTimeout  = 1500 * time.Millisecond
	packetSize     = 16383 // the largest that goes into one record of TLS
)

// driverConfig is the driver's configuration of a connection.
func driverConfig(s settings) msdsn.Config {
	c := msdsn.Config{
		Host: s.Host, Port: uint64(s.Port), Instance: s.instance, Database: s.database, User: s.User, Password: s.Password,
		Encryption: msdsn.EncryptionOff,
		// Without ssl_enabled the login is encrypted all the same, as is everything where the server demands it.
		TLSConfig:   &tls.Config{ServerName: s.Host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
		Protocols:   []string{"tcp"},
		AppName:     "elastic-ingest",
		DialTimeout: -1, // the context ends it
		PacketSize:  packetSize,
		// Identifiers come in the order in which they are written.
		Encoding: msdsn.EncodeParameters{Timezone: time.UTC, GuidConversion: true},
	}
	if s.instance != "" {
		c.Port = 0 // so that the browser is asked
	}
	if s.tls != nil {
		c.Encryption, c.TLSConfig = msdsn.EncryptionRequired, s.tls
	}
	return c
}

// dialer opens the connection below that of the driver.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext makes it a [mssql.Dialer].
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// HostName makes it a [mssql.HostDialer], which looks names up itself: the driver would not mind the context.
func (d dialer) HostName() string { return "" }

var _ mssql.HostDialer = dialer(nil)

// What Microsoft advises for connections, see
// https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues#implementing-retry-logic.
const (
	firstPause   = 5 * time.Second
	longestPause = time.Minute
	// awake is how many attempts it takes with these pauses until a serverless database that was paused, which takes
	// about a minute, is there again.
	awake = 5
)

// pauseBefore is how long to wait before another attempt to connect, the first being 1; some more, so that many
// clients do not come at once.
func pauseBefore(attempt int) time.Duration {
	return min(firstPause<<(attempt-1), longestPause) + rand.N(time.Second)
}

// enough reports whether connecting was tried often enough: as the configuration says, or a little longer where the
// server says that the database will be there soon.
func (d *database) enough(attempt int, err error) bool {
	most := d.set.Attempts
	if most > 1 && code(err) == codeNotThere {
		most = max(most, awake)
	}
	return attempt >= most
}

// Dial opens a session that nothing was set in yet. A server may send the driver on to another.
func (d *database) Dial(ctx context.Context) (*session, error) {
	var below *link.Watched
	stop := func() bool { return true }
	connector := mssql.NewConnectorConfig(d.driver)
	connector.Dialer = dialer(func(dialing context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialNet(dialing, network, address)
		if err != nil || network != "tcp" {
			return c, err
		}
		stop()
		stop = context.AfterFunc(ctx, func() { _ = c.Close() }) // the driver minds the context while it dials only
		below = &link.Watched{Conn: c, Limit: d.Stall}
		return below, nil
	})
	opened, err := connector.Connect(ctx)
	if !stop() {
		if err == nil {
			_ = opened.Close()
		}
		return nil, ctx.Err()
	}
	if err != nil {
		failed := sqlread.Conn{Net: below, Answered: answered}
		return nil, failed.Cause(err)
	}
	of, ok := opened.(*mssql.Conn)
	if !ok {
		_ = opened.Close()
		return nil, errDriver
	}
	s := &session{}
	s.Conn, err = sqlread.NewConn(conn{Conn: of, below: below}, below, answered)
	return s, err
}

// answered reports whether an error is an answer of the server, after which the connection goes on.
func answered(err error) bool { return code(err) != 0 && !fatal(err) }

// goesOn reports whether the connection goes on behind an error: one that the server answered with, or that
// this program found in an answer.
func goesOn(err error) bool {
	_, ours := errors.AsType[*source.Error](err)
	return ours || answered(err) || errors.Is(err, sqlread.ErrTableChanged) || errors.Is(err, errTableGone)
}
