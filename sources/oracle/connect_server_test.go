package oracle

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// dial opens a connection.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// wayOf is how the source reaches its server.
func wayOf(d *database) sqltest.Way {
	return sqltest.Way{Source: d, Dial: &d.DialNet, Pause: &d.Attempts.Pause}
}

// TestOddCredentials logs in with the password of all users of the tests, p@ss/w:rd%.
func TestOddCredentials(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	if err := openSource(t, db.values(nil), source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := openSource(t, db.values(map[string]any{"username": strings.ToLower(db.owner)}), source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestASIDReachesTheDatabase checks that a database with a SID can be reached by it.
func TestASIDReachesTheDatabase(t *testing.T) {
	t.Parallel()
	sid := testenv.Required(t, "TEST_ORACLE_SID")
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."T" VALUES (1)`)
	r := sqltest.ReadSource(t, &Type, db.values(map[string]any{"connection_source": "sid", "sid": sid}), source.Env{})["T"]
	if r.Err != nil || len(r.IDs) != 1 || r.IDs[0] != sid+"_T_1_" {
		t.Errorf("%+v", r)
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	d := openSource(t, db.values(map[string]any{"password": "wrong-secret", "retry_count": 5}), source.Env{})
	sqltest.WrongPasswordIsTriedOnce(t, wayOf(d), "check username and password")
}

func TestConnectAgain(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.ConnectAgain(t, func(attempts int) sqltest.Way {
		return wayOf(openSource(t, db.values(map[string]any{"retry_count": attempts}), source.Env{}))
	}, 1, "check host, port")
}

func TestPingErrors(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	err := openSource(t, db.values(map[string]any{"port": 1}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrUnreachable, "port 1", "connection refused")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
	if !db.standIn { // which accepts any service name
		err = openSource(t, db.values(map[string]any{"service_name": "nosuch"}), source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, nil, "ORA-12514", "service_name")
	}

	// The server that listens there is not Oracle.
	err = openSource(t, db.values(map[string]any{"host": "127.0.0.1", "port": sqltest.HangsUp(t)}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrUnreachable, "the connection was lost", "check host, port")
}

// accept serves connections until the listener is closed.
func accept(l net.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		serve(conn)
	}
}

// TestTLSThroughAProxy uses a proxy that terminates TLS, because the servers of the tests do not support it.
func TestTLSThroughAProxy(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec(`CREATE TABLE @."T" ("ID" NUMBER(10) PRIMARY KEY)`, `INSERT INTO @."T" VALUES (1)`)
	server := sqltest.SelfSigned(t, "localhost")
	plain, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{server.TLS()}, MinVersion: tls.VersionTLS12})
	t.Cleanup(func() { _ = l.Close() })
	go accept(l, func(client net.Conn) { // ends when the listener is closed
		database, err := dial(context.Background(), "tcp", db.config.Servers[0].NetworkAddr())
		if err != nil {
			_ = client.Close()
			return
		}
		for _, way := range [][2]net.Conn{{client, database}, {database, client}} {
			go func() { // ends when either side hangs up
				_, _ = io.Copy(way[0], way[1])
				_ = way[0].Close()
			}()
		}
	})
	values := db.values(map[string]any{
		"host": "localhost", "port": plain.Addr().(*net.TCPAddr).Port, "oracle_protocol": "TCPS", "wallet_configuration_path": walletWith(t, textWallet, server.PEM),
	})
	if r := sqltest.ReadSource(t, &Type, values, source.Env{StallTimeout: sqltest.Patience})["T"]; r.Err != nil || len(r.IDs) != 1 {
		t.Errorf("%+v", r)
	}
	values["connection_source"], values["sid"] = "sid", db.config.ServiceName
	if db.standIn { // which accepts a SID like a service name
		if r := sqltest.ReadSource(t, &Type, values, source.Env{})["T"]; r.Err != nil || len(r.IDs) != 1 {
			t.Errorf("with a SID: %+v", r)
		}
	}
	values["wallet_configuration_path"] = walletWith(t, textWallet, sqltest.OtherCA(t))
	d := openSource(t, values, source.Env{})
	pauses := wayOf(d).NoPauses()
	err = d.Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrConfig, "unknown authority")
	if pauses.Load() != 0 || errors.Is(err, source.ErrTemporary) {
		t.Error("an untrusted certificate was tried again")
	}
	values["wallet_configuration_path"], values["host"] = walletWith(t, textWallet, server.PEM), "127.0.0.1"
	sqltest.Refuse(t, openSource(t, values, source.Env{}).Ping(t.Context()), source.ErrConfig, "127.0.0.1")
}
