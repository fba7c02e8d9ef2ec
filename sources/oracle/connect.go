package oracle

import (
	"context"
	"database/sql/driver"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/configurations"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/oracle/guard"
)

const (
	connectTimeout = 15 * time.Second
	hangUpTimeout  = 1500 * time.Millisecond
	// stallsPerCall is how many stall timeouts one call of the driver may take while bytes still arrive: one
	// response of the server is many rows, and each of their LOBs another response.
	stallsPerCall = 20
)

// driverConfig is the driver's configuration of a connection, without its dialer.
func driverConfig(s settings) (*configurations.ConnectionConfig, error) {
	// This address carries the driver's defaults. Everything that matters is set directly below, without
	// being written into an address and parsed again.
	c, err := configurations.ParseConfig("oracle://user:password@host:1521/service")
	if err != nil {
		return nil, err
	}
	c.Servers = []configurations.ServerAddr{{Addr: s.Host, Port: s.Port}}
	c.UserID, c.Password = s.User, s.Password
	c.ServiceName, c.SID = s.database, ""
	if s.sid {
		c.ServiceName, c.SID = "", s.database
	}
	if strings.EqualFold(s.User, "SYS") { // SYS cannot log in otherwise
		c.DBAPrivilege = configurations.SYSDBA
	}
	if s.tls != nil {
		c.SSL, c.Protocol = true, "tcps"
		c.TLSConfig = s.tls
	}
	c.Cid = "(CID=(PROGRAM=elastic-ingest)(HOST=elastic-ingest)(USER=elastic-ingest))"
	c.ProgramName = "elastic-ingest"
	c.Timeout = 0                 // reading has its own limit, see [link.Watched]
	c.PrefetchRows = s.fetchSize  // the driver replaces 25 by its own number
	c.Lob = configurations.STREAM // inline, some servers answer with ORA-03120
	c.Location = "UTC"            // dates and times without a time zone stay unchanged
	return c, nil
}

// connector opens connections of the driver; see [driver.Connector].
type connector struct {
	config *configurations.ConnectionConfig
}

// Connect opens a connection.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := ora.NewConnection("", c.config)
	if err != nil {
		return nil, err
	}
	if err := conn.OpenWithContext(ctx); err != nil {
		return nil, err
	}
	return conn, nil
}

// Driver is the driver of the connections.
func (*connector) Driver() driver.Driver { return ora.NewDriver() }

// Dial opens a session without settings.
func (d *database) Dial(ctx context.Context) (*session, error) {
	var below *link.Watched
	c := *d.driver
	if c.TLSConfig != nil {
		c.TLSConfig = c.TLSConfig.Clone() // the driver writes into it
	}
	c.RegisterDial(guard.Dialer(d.Watch(&below)))
	limits := guard.Limits{Login: connectTimeout, Call: stallsPerCall * d.Stall}
	conn, err := guard.Connector(&connector{&c}, limits).Connect(ctx)
	s := &session{}
	s.Conn, err = sqlread.NewConn(conn, err, below, answered)
	return s, err
}

// answered reports whether an error is a response of the server.
func answered(err error) bool { return code(err) != 0 }
