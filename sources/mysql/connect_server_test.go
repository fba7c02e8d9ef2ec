package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// wayOf is how the source reaches its server.
func wayOf(d *database) sqltest.Way {
	return sqltest.Way{Source: d, Dial: &d.DialNet, Pause: &d.Attempts.Pause}
}

func TestOddCredentials(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		_, values := db.user() // its password is p@ss/w:rd%
		if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
			t.Error(err)
		}
		db.exec("CREATE USER `a@b:c " + db.name + "`@'%' IDENTIFIED BY '1'''; GRANT SELECT ON " + db.name + ".* TO `a@b:c " + db.name + "`@'%'")
		t.Cleanup(func() { db.exec("DROP USER `a@b:c " + db.name + "`@'%'") })
		values = db.values(map[string]any{"user": "a@b:c " + db.name, "password": "1'"})
		if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestLogins logs in twice with each plugin of the server, because the second time the server has cached the
// password.
func TestLogins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		plugins := []string{"IDENTIFIED WITH mysql_native_password BY", "IDENTIFIED WITH caching_sha2_password BY", "IDENTIFIED WITH sha256_password BY"}
		if db.mariaDB {
			plugins = []string{"IDENTIFIED BY", "IDENTIFIED VIA mysql_native_password USING PASSWORD"}
		}
		for _, how := range plugins {
			user, values := db.user()
			password := "'p@ss/w:rd%'"
			if strings.HasSuffix(how, "PASSWORD") {
				password = "(" + password + ")"
			}
			db.exec(fmt.Sprintf("ALTER USER %s@'%%' %s %s", user, how, password))
			for range 2 {
				if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
		}
	})
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		d := openSource(t, db.values(map[string]any{"password": "wrong-secret", "retry_count": 5}), source.Env{})
		sqltest.WrongPasswordIsTriedOnce(t, wayOf(d), "Access denied", "check user and password")
	})
}

func TestConnectAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		sqltest.ConnectAgain(t, func(attempts int) sqltest.Way {
			return wayOf(openSource(t, db.values(map[string]any{"retry_count": attempts}), source.Env{}))
		}, 1, "check host and port")
	})
}

func TestPingErrors(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		err := openSource(t, db.values(map[string]any{"database": "no such"}), source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, source.ErrConfig, "Unknown database 'no such' (error 1049)", "check database")

		err = openSource(t, db.values(map[string]any{"port": 1}), source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, source.ErrUnreachable, "connect to MySQL at 127.0.0.1 port 1", "connection refused")
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %v", err)
		}

		user, values := db.user()
		db.exec("ALTER USER " + user + " REQUIRE SSL")
		err = openSource(t, values, source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, source.ErrAuth, "Access denied", "must use TLS and ssl_enabled is off")

		// The server that listens there is not MySQL.
		err = openSource(t, db.values(map[string]any{"port": sqltest.HangsUp(t)}), source.Env{}).Ping(t.Context())
		sqltest.Refuse(t, err, source.ErrUnreachable, "the connection was lost", "check host and port")
	})
}

// TestCertificatesAreVerified runs on MariaDB: Go accepts none of the ciphers that the tests' MySQL offers.
func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	pemBytes, err := os.ReadFile(testenv.Required(t, "TEST_MARIADB_CA"))
	if err != nil {
		t.Fatal(err)
	}
	db, ca := newDB(t, onMariaDB), string(pemBytes)
	user, values := db.user()
	db.exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER USER " + user + " REQUIRE SSL")
	values["ssl_enabled"] = true
	sqltest.AuthoritiesAreRead(t, ca, func(ca string) error {
		values["ssl_ca"] = ca
		r := sqltest.ReadSource(t, &Type, values, source.Env{StallTimeout: sqltest.Patience})["t"]
		if r.Err == nil && len(r.IDs) != 1 {
			return fmt.Errorf("got %d rows", len(r.IDs))
		}
		return r.Err
	})
	values["ssl_ca"] = sqltest.OtherCA(t)
	sqltest.AnUnknownAuthorityIsRefused(t, wayOf(openSource(t, values, source.Env{})))
	values["ssl_ca"] = ca
	d := openSource(t, values, source.Env{})
	d.driver.TLS = d.driver.TLS.Clone()
	d.driver.TLS.ServerName = "db.example.org" // as if host were a different name of the machine
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrConfig, "db.example.org", "ssl_ca must contain")
}

// TestServerWithoutTLS reads through a proxy that removes the offer of TLS from the server's greeting.
func TestServerWithoutTLS(t *testing.T) {
	t.Parallel()
	db := newDB(t, onMariaDB)
	d := openSource(t, db.values(map[string]any{"ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t)}), source.Env{})
	dial := d.DialNet
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &plainConn{Conn: conn}, err
	}
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrConfig, "server does not support TLS", "ssl_enabled: false")
}

// plainConn clears the TLS bit in the capabilities of the first packet, the server's greeting.
type plainConn struct {
	net.Conn
	greeted bool
}

func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.greeted && n > 5 {
		c.greeted = true
		end := slices.Index(b[5:n], 0) + 5 // of the version
		b[end+1+4+8+1+1] &^= 0x08          // id, nonce, zero, low byte of the capabilities, high byte
	}
	return n, err
}

// TestHostileSettings checks that values do not depend on the session settings of the server.
func TestHostileSettings(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (id int PRIMARY KEY, at timestamp NULL, c char(5), v varchar(20)); SET time_zone = '+00:00'; INSERT INTO t VALUES (1, '2024-01-02 03:04:05', 'ab', 'žluť'), (2, NULL, '', '')")
		want := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["t"]
		log := &sqltest.Logbook{}
		d := openSource(t, db.values(nil), log.Env())
		s, err := d.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.HangUp()
		limits := []string{"max_execution_time", "information_schema_stats_expiry"}
		if db.mariaDB {
			limits = []string{"max_statement_time", "idle_transaction_timeout", "idle_readonly_transaction_timeout"}
		}
		sets := []string{
			"time_zone = '+09:00'", "sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'", "character_set_results = latin1",
			"sql_select_limit = 1", "autocommit = 0", "net_write_timeout = 1", "max_join_size = 1", "sql_big_selects = 0",
		}
		for _, limit := range limits {
			sets = append(sets, limit+" = 1000")
		}
		for _, set := range sets {
			if err := s.Exec(t.Context(), "SET SESSION "+set); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.SetUp(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		for _, limit := range limits {
			left := ""
			err := s.Each(t.Context(), "SELECT @@session."+limit+" + 0", nil, func(row []driver.Value) { left = sqlread.TextOf(row[0]) })
			if err != nil || strings.Trim(left, "0.") != "" {
				t.Errorf("%s is %s, %v", limit, left, err)
			}
		}
		if err := s.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Snapshots.Add()
		d.Snapshots.Put(s)
		p := d.Part(relationOf("t"), nil)
		got := sqltest.Read(t.Context(), p)
		if diff := cmp.Diff(want.Docs, got.Docs); diff != "" || got.Err != nil {
			t.Errorf("%v %s", got.Err, diff)
		}
		if want.Docs[0] != `{"id_":1,"at":"2024-01-02T03:04:05Z","c":"ab","v":"žluť"}` {
			t.Errorf("got %v", want.Docs)
		}
		if strings.Contains(log.String(), "from a later snapshot") {
			t.Error("another session was read from")
		}
	})
}

// TestTimestampsFollowTheServerZoneInCompat checks that TIMESTAMP values are instants in exact, and in compat local
// times in the server's zone, as in Elastic's connector.
func TestTimestampsFollowTheServerZoneInCompat(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *testDB) {
		db.exec("CREATE TABLE t (id int PRIMARY KEY, at timestamp NULL, local datetime); SET time_zone = '+09:00'; INSERT INTO t VALUES (1, '2024-01-02 03:04:05', '2024-01-02 03:04:05')")
		got := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["t"]
		if want := []string{`{"id_":1,"at":"2024-01-01T18:04:05Z","local":"2024-01-02T03:04:05Z"}`}; !slices.Equal(got.Docs, want) {
			t.Errorf("got %v, %v; want %v", got.Docs, got.Err, want)
		}
		d := openSource(t, db.values(nil), source.Env{Encoding: "compat"})
		s, err := d.Connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.HangUp()
		zone := ""
		if err := s.Each(t.Context(), "SELECT @@session.time_zone = @@global.time_zone", nil, func(row []driver.Value) { zone = sqlread.TextOf(row[0]) }); err != nil || zone != "1" {
			t.Errorf("the zone of the server is changed in compat: %v", err)
		}
	})
}
