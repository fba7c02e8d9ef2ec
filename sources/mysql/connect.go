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

// driverConfig is the driver's configuration of a connection, without its dialer.
func driverConfig(s settings) *mysql.Config {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if s.OnSocket() {
		c.Net, c.Addr = "unix", s.Host
	}
	c.User, c.Passwd, c.DBName = s.User, s.Password, s.database
	c.Collation = "utf8mb4_general_ci"
	c.ConnectionAttributes = "program_name:elastic-ingest"
	c.WriteTimeout = writeTimeout
	c.Logger = &mysql.NopLogger{} // its messages are also returned as errors
	c.TLS = s.tls
	c.AllowCleartextPasswords = s.tls != nil
	return c
}

// Dial opens a session without settings.
func (d *database) Dial(ctx context.Context) (*session, error) {
	var below *link.Watched
	c := d.driver.Clone()
	c.DialFunc = d.Watch(&below)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	s := &session{}
	s.Conn, err = sqlread.NewConn(conn, err, below, answered)
	return s, err
}

// answered reports whether an error is a response of the server.
func answered(err error) bool { return code(err) != 0 }

// End closes a session whose statement may still be running, and makes the server end the statement, because the
// server would notice only when it next sends a row. Several servers may share one address, and they number their
// connections alike: only the session that holds this session's lock is ended.
func (d *database) End(ctx context.Context, s *session) {
	s.HangUp()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	other, err := d.Dial(ctx)
	if err != nil {
		return // the server will notice eventually
	}
	defer other.HangUp()
	var id int64
	err = other.Each(ctx, "SELECT IS_USED_LOCK(?)", []driver.Value{s.name}, func(row []driver.Value) { id = sqlread.NumberOf(row[0]) })
	if err == nil && id > 0 {
		_ = other.Exec(ctx, "KILL "+strconv.FormatInt(id, 10)) // refused if it has ended by now
	}
}
