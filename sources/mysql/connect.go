package mysql

import (
	"context"
	"database/sql/driver"
	"net"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

const (
	connectTimeout = 15 * time.Second
	writeTimeout   = time.Minute
	hangUpTimeout  = 1500 * time.Millisecond
)

// driverConfig is the driver's configuration of a connection, but for the way it dials.
func driverConfig(s settings) *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if s.onSocket() {
		c.Net, c.Addr = "unix", s.Host
	}
	c.User, c.Passwd, c.DBName = s.User, s.Password, s.database
	c.Collation = "utf8mb4_general_ci"
	c.ConnectionAttributes = "program_name:elastic-ingest"
	c.WriteTimeout = writeTimeout
	c.Logger = &mysql.NopLogger{} // what it would say comes back as an error, too
	c.TLS = s.tls
	c.AllowCleartextPasswords = s.tls != nil
	return c
}

// Dial opens a session that nothing was set in yet.
func (d *database) Dial(ctx context.Context) (*session, error) {
	var below *link.Watched
	c := d.driver.Clone()
	c.DialFunc = d.Watch(&below)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		failed := sqlread.Conn{Net: below, Answered: answered}
		return nil, failed.Cause(err)
	}
	s := &session{}
	s.Conn, err = sqlread.NewConn(conn, below, answered)
	return s, err
}

// answered reports whether an error is an answer of the server.
func answered(err error) bool { return code(err) != 0 }

// End closes a session whose statement may still run, and has the server end that: it would notice
// only when it next sends a row. Behind one address there may be several servers, and they number their
// connections alike: the one to end is that which holds the session's lock, and no other.
func (d *database) End(ctx context.Context, s *session) {
	s.HangUp()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	other, err := d.Dial(ctx)
	if err != nil {
		return // the server notices in the end
	}
	defer other.HangUp()
	var id int64
	err = other.Each(ctx, "SELECT IS_USED_LOCK(?)", []driver.Value{s.name}, func(row []driver.Value) { id = sqlread.NumberOf(row[0]) })
	if err == nil && id > 0 {
		_ = other.Exec(ctx, "KILL "+strconv.FormatInt(id, 10)) // refused where it has ended by now
	}
}
