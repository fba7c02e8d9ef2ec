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
	connectTimeout = 30 * time.Second // the minimum that Microsoft recommends for Azure
	hangUpTimeout  = 1500 * time.Millisecond
	packetSize     = 16383 // the largest that fits into one TLS record
)

// driverConfig is the driver's configuration of a connection.
func driverConfig(s settings) msdsn.Config {
	c := msdsn.Config{
		Host: s.Host, Port: uint64(s.Port), Instance: s.instance, Database: s.database, User: s.User, Password: s.Password,
		Encryption: msdsn.EncryptionOff,
		// Even without ssl_enabled the login is encrypted, and everything else if the server requires it.
		TLSConfig:   &tls.Config{ServerName: s.Host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
		Protocols:   []string{"tcp"},
		AppName:     "elastic-ingest",
		DialTimeout: -1, // the context ends it
		PacketSize:  packetSize,
		// GUIDs have their bytes in the order of their text.
		Encoding: msdsn.EncodeParameters{Timezone: time.UTC, GuidConversion: true},
	}
	if s.instance != "" {
		c.Port = 0 // so that the browser service is queried
	}
	if s.tls != nil {
		c.Encryption, c.TLSConfig = msdsn.EncryptionRequired, s.tls
	}
	return c
}

// dialer opens the connection below that of the driver.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext implements [mssql.Dialer].
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// HostName implements [mssql.HostDialer], which resolves names itself: the driver would ignore the context.
func (d dialer) HostName() string { return "" }

var _ mssql.HostDialer = dialer(nil)

// Microsoft's recommendations for connections, see
// https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues#implementing-retry-logic.
const (
	firstPause   = 5 * time.Second
	longestPause = time.Minute
	// awake is how many attempts with these pauses a paused serverless database needs to wake up, which takes about a
	// minute.
	awake = 5
)

// pauseBefore is how long to wait before another attempt to connect, the first being 1, with jitter so that many
// clients do not come at once.
func pauseBefore(attempt int) time.Duration {
	return min(firstPause<<(attempt-1), longestPause) + rand.N(time.Second)
}

// enough reports whether connecting was tried often enough: as configured, or a little longer if the
// server says that the database will be available soon.
func (d *database) enough(attempt int, err error) bool {
	most := d.set.Attempts
	if most > 1 && code(err) == codeNotThere {
		most = max(most, awake)
	}
	return attempt >= most
}

// Dial opens a session without settings. A server may redirect the driver to another.
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
		stop = context.AfterFunc(ctx, func() { _ = c.Close() }) // the driver watches the context only while it dials
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
	of, ok := opened.(*mssql.Conn)
	if !ok && err == nil {
		_ = opened.Close()
		return nil, errDriver
	}
	s := &session{}
	s.Conn, err = sqlread.NewConn(conn{Conn: of, below: below}, err, below, answered)
	return s, err
}

// answered reports whether an error is a response of the server, after which the connection continues.
func answered(err error) bool { return code(err) != 0 && !fatal(err) }

// keepsConnection reports whether the connection is usable after an error: an error from the server, or one that
// this program found in a response.
func keepsConnection(err error) bool {
	_, ours := errors.AsType[*source.Error](err)
	return ours || answered(err) || errors.Is(err, sqlread.ErrTableChanged) || errors.Is(err, errTableGone)
}
