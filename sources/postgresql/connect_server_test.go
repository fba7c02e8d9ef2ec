package postgresql

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// wayOf is how the source reaches its server.
func wayOf(d *database) sqltest.Way {
	return sqltest.Way{Source: d, Dial: (*sqltest.Dial)(&d.driver.DialFunc), Pause: &d.pause}
}

func TestOddCredentials(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	_, values := db.reader() // its password is p@ss/w:rd%
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	adminExec(t, "", `CREATE ROLE "a@b:c `+db.name+`" LOGIN PASSWORD '1'''`)
	t.Cleanup(func() { adminExec(t, "", `DROP ROLE "a@b:c `+db.name+`"`) })
	values = db.values(map[string]any{"username": "a@b:c " + db.name, "password": "1'"})
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	d := openSource(t, db.values(map[string]any{"password": "wrong-secret", "retry_count": 5}), source.Env{})
	sqltest.WrongPasswordIsTriedOnce(t, wayOf(d), "password authentication failed", "check username and password")
}

func TestConnectAgain(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.ConnectAgain(t, func(attempts int) sqltest.Way {
		return wayOf(openSource(t, db.values(map[string]any{"retry_count": attempts}), source.Env{}))
	}, 2, "check host and port") // with TLS and without
}

func TestPingErrors(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	role, values := db.reader()
	db.exec("REVOKE CONNECT ON DATABASE " + db.name + " FROM PUBLIC")
	err := openSource(t, values, source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrAuth, `GRANT CONNECT ON DATABASE "`+db.name+`" TO "`+role+`";`)

	err = openSource(t, db.values(map[string]any{"database": "no such"}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrConfig, `database "no such" does not exist`, "check database")

	err = openSource(t, db.values(map[string]any{"port": 1}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrUnreachable, "connect to PostgreSQL at 127.0.0.1 port 1", "connection refused")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
}

// tlsValues is the configuration to read with TLS, as TEST_POSTGRES_TLS_DSN does.
func tlsValues(t testing.TB, ca string) map[string]any {
	t.Helper()
	config, err := pgx.ParseConfig(testenv.Required(t, "TEST_POSTGRES_TLS_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"host": config.Host, "port": int(config.Port), "username": config.User, "password": config.Password,
		"database": config.Database, "schema": "public", "ssl_enabled": true, "ssl_ca": ca,
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	pemBytes, err := os.ReadFile(testenv.Required(t, "TEST_POSTGRES_CA"))
	if err != nil {
		t.Fatal(err)
	}
	ca := string(pemBytes)
	sqltest.AuthoritiesAreRead(t, ca, func(ca string) error {
		conn, err := openSource(t, tlsValues(t, ca), source.Env{}).connect(t.Context())
		if err != nil {
			return err
		}
		defer hangUp(t.Context(), conn)
		var encrypted bool
		err = conn.QueryRow(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted)
		if err == nil && !encrypted {
			return errors.New("the connection is not encrypted")
		}
		return err
	})
	sqltest.AnUnknownAuthorityIsRefused(t, wayOf(openSource(t, tlsValues(t, sqltest.OtherCA(t)), source.Env{})))

	d := openSource(t, tlsValues(t, ca), source.Env{})
	d.driver.TLSConfig.ServerName = "db.example.org" // as if host were a different name of the machine
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrConfig, "db.example.org", "ssl_ca must contain")
}

// TestServerWithoutTLS reads through a proxy that responds as a server without TLS does.
func TestServerWithoutTLS(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	host, port := plainProxy(t, net.JoinHostPort(db.config.Host, strconv.Itoa(int(db.config.Port))))
	values := db.values(map[string]any{"host": host, "port": port})
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Errorf("ssl_enabled is off: %v", err)
	}
	values["ssl_enabled"], values["ssl_ca"] = true, sqltest.OtherCA(t)
	sqltest.Refuse(t, openSource(t, values, source.Env{}).Ping(t.Context()), source.ErrConfig, "refused TLS", "ssl_enabled: false")
}

// plainProxy forwards connections to a server, but answers a request for TLS with no.
func plainProxy(t *testing.T, server string) (host string, port int) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() { // ends when the listener is closed
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { // ends with the connection
				defer func() { _ = conn.Close() }()
				if err := refuseTLS(conn, server); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
					t.Log(err)
				}
			})
		}
	})
	addr := l.Addr().(*net.TCPAddr)
	return addr.IP.String(), addr.Port
}

func refuseTLS(conn net.Conn, server string) error {
	head := make([]byte, 8)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	const sslRequest = 80877103
	if binary.BigEndian.Uint32(head[4:]) == sslRequest {
		_, err := conn.Write([]byte("N"))
		return err
	}
	var d net.Dialer
	up, err := d.DialContext(context.Background(), "tcp", server)
	if err != nil {
		return err
	}
	defer func() { _ = up.Close() }()
	if _, err := up.Write(head); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { // ends with the client
		_, _ = io.Copy(up, conn)
		_ = up.Close()
	})
	_, _ = io.Copy(conn, up)
	_ = conn.Close()
	wg.Wait()
	return nil
}
