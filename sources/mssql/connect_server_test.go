package mssql

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/mssqltest"
	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// wayOf is how the source reaches its server.
func wayOf(d *database) sqltest.Way {
	return sqltest.Way{Source: d, Dial: &d.DialNet, Pause: &d.Attempts.Pause}
}

func TestOddCredentials(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	_, values := db.user() // with an odd password
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	user := "a@b:c]" + db.name + " žluť"
	db.login(user, "Žluť 1'\"; drop")
	values = db.values(map[string]any{"username": user, "password": "Žluť 1'\"; drop"})
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// redirect makes the source dial the server, whatever its address, and records the address.
func (db *testDB) redirect(d *database, dialed *string) {
	d.DialNet = func(ctx context.Context, network, address string) (net.Conn, error) {
		*dialed = address
		return dial(ctx, network, db.url.Host)
	}
}

// TestIPv6Addresses uses the address of the server of mssqltest in brackets, as people paste it. The test's dialer
// redirects it, because the server itself listens on IPv4.
func TestIPv6Addresses(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{})
	d := openSource(t, db.values(map[string]any{"host": "[::1]"}), source.Env{})
	dialed := ""
	db.redirect(d, &dialed)
	if err := d.Ping(t.Context()); err != nil || dialed != net.JoinHostPort("::1", db.url.Port()) {
		t.Errorf("dialed %s: %v", dialed, err)
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	d := openSource(t, db.values(map[string]any{"password": "wrong-secret", "retry_count": 5}), source.Env{})
	sqltest.WrongPasswordIsTriedOnce(t, wayOf(d), "ogin failed for user", "check username and password")
}

func TestConnectAgain(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	sqltest.ConnectAgain(t, func(attempts int) sqltest.Way {
		return wayOf(openSource(t, db.values(map[string]any{"retry_count": attempts}), source.Env{}))
	}, 1, "check host and port")
}

func TestPingErrors(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	d := openSource(t, db.values(map[string]any{"database": "no such", "retry_count": 5}), source.Env{})
	dials := wayOf(d).CountDials(0)
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrConfig, "no such", "(error 4060)", "check database")
	if dials.Load() != 1 {
		t.Errorf("connected %d times", dials.Load())
	}
	err := openSource(t, db.values(map[string]any{"port": 1}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrUnreachable, "connect to SQL Server at "+db.url.Hostname()+" port 1", "connection refused")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}

	// The server that listens there is not SQL Server.
	err = openSource(t, db.values(map[string]any{"host": "127.0.0.1", "port": sqltest.HangsUp(t)}), source.Env{}).Ping(t.Context())
	sqltest.Refuse(t, err, source.ErrUnreachable, "check host and port")
}

// TestRefusedLogins has the errors of the server for valid logins, which only the server of mssqltest returns on
// demand.
func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refusal tdstest.Message
		kind    error
		says    []string
		dials   int32
	}{
		"disabled":          {tdstest.Message{Number: 18470, Class: 14, Text: "the account is disabled"}, source.ErrAuth, []string{"the account is disabled (error 18470)", "ALTER LOGIN"}, 1},
		"of Windows":        {tdstest.Message{Number: 18452, Class: 14, Text: "the login is from an untrusted domain"}, source.ErrAuth, []string{"mixed mode"}, 1},
		"expired":           {tdstest.Message{Number: 18487, Class: 14, Text: "the password has expired"}, source.ErrAuth, []string{"ALTER LOGIN"}, 1},
		"no connection":     {tdstest.Message{Number: 17809, Class: 17, Text: "the maximum number of user connections is reached"}, nil, nil, 2},
		"Azure is busy":     {tdstest.Message{Number: 40613, Class: 17, Text: "the database is not currently available"}, nil, nil, 2},
		"an Azure firewall": {tdstest.Message{Number: 40615, Class: 14, Text: "the client is not allowed to access the server"}, source.ErrAuth, []string{"firewall"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDBHere(t, mssqltest.Config{})
			db.here.TDS().RefuseLogin(tt.refusal)
			d := openSource(t, db.values(map[string]any{"retry_count": 3}), source.Env{})
			dials := wayOf(d).CountDials(0)
			wayOf(d).NoPauses()
			err := d.Ping(t.Context())
			if tt.kind != nil {
				sqltest.Refuse(t, err, tt.kind, tt.says...)
			} else if err != nil {
				t.Error(err)
			}
			if dials.Load() != tt.dials {
				t.Errorf("connected %d times", dials.Load())
			}
		})
	}
}

// TestLoginsAreEncrypted checks that the login is encrypted if the server supports it, and the complete connection if
// the server requires it.
func TestLoginsAreEncrypted(t *testing.T) {
	t.Parallel()
	for name, encryption := range map[string]tdstest.Encryption{"forced": tdstest.EncryptAll, "offered": tdstest.EncryptLogin, "none": tdstest.NoEncryption} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDBHere(t, mssqltest.Config{Encryption: encryption})
			db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
			if r := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{StallTimeout: sqltest.Patience})["dbo.t"]; r.Err != nil || len(r.IDs) != 1 {
				t.Errorf("%+v", r)
			}
			logins := db.here.TDS().Logins()
			last := logins[len(logins)-1]
			if last.App != "elastic-ingest" || last.Encrypted != (encryption != tdstest.NoEncryption) {
				t.Errorf("the last login: %+v", last)
			}
		})
	}
}

// TestCertificatesAreVerified runs on the server of mssqltest, whose self-signed certificate belongs to localhost.
func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{Encryption: tdstest.EncryptLogin})
	db.exec("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	ca, values := string(db.here.TDS().CA()), db.values(map[string]any{"ssl_enabled": true})
	sqltest.AuthoritiesAreRead(t, ca, func(ca string) error {
		values["ssl_ca"] = ca
		r := sqltest.ReadSource(t, &Type, values, source.Env{StallTimeout: sqltest.Patience})["dbo.t"]
		if r.Err == nil && len(r.IDs) != 1 {
			return fmt.Errorf("got %d rows", len(r.IDs))
		}
		return r.Err
	})
	values["ssl_ca"], values["validate_host"] = ca, true
	sqltest.Refuse(t, openSource(t, values, source.Env{}).Ping(t.Context()), source.ErrConfig, "127.0.0.1", "host must be a name in the certificate, or set validate_host: false")
	values["host"] = "localhost"
	d, dialed := openSource(t, values, source.Env{}), ""
	db.redirect(d, &dialed) // localhost may be ::1
	if err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	for _, validate := range []bool{false, true} {
		values["ssl_ca"], values["validate_host"] = sqltest.OtherCA(t), validate
		d := openSource(t, values, source.Env{})
		db.redirect(d, &dialed)
		sqltest.AnUnknownAuthorityIsRefused(t, wayOf(d))
	}
	plain := newDBHere(t, mssqltest.Config{})
	sqltest.Refuse(t, openSource(t, plain.values(map[string]any{"ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t)}), source.Env{}).Ping(t.Context()),
		source.ErrConfig, "does not support encryption", "ssl_enabled: false")
}

// TestTheCertificateThatTheServerGenerated has a negative serial number, which Go refuses by default. Without
// verification it is accepted like any other certificate; with verification, the error says what it is.
func TestTheCertificateThatTheServerGenerated(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{Encryption: tdstest.EncryptAll, SelfMade: true})
	if err := openSource(t, db.values(nil), source.Env{}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	values := db.values(map[string]any{"ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t)})
	sqltest.Refuse(t, openSource(t, values, source.Env{}).Ping(t.Context()), source.ErrConfig, "was generated by the server itself", "certificate of an authority in ssl_ca")
	values["ssl_ca"] = string(db.here.TDS().CA())
	if err := openSource(t, values, source.Env{}).Ping(t.Context()); err != nil {
		t.Errorf("it is named by ssl_ca: %v", err)
	}
}

// TestAnInvisibleDatabaseMayHaveSnapshots checks that an unknown setting is not taken for one that is off.
func TestAnInvisibleDatabaseMayHaveSnapshots(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{NoDatabaseRow: true})
	sqltest.Refuse(t, openSource(t, db.values(nil), source.Env{}).Ping(t.Context()), source.ErrAuth, "sys.databases does not show", "GRANT VIEW ANY DATABASE")
}

// TestOldTLS checks that a server with only outdated TLS versions is named as such if not even the login can be
// encrypted.
func TestOldTLS(t *testing.T) {
	t.Parallel()
	db := newDBHere(t, mssqltest.Config{Encryption: tdstest.EncryptLogin})
	d := openSource(t, db.values(nil), source.Env{})
	d.driver.TLSConfig = d.driver.TLSConfig.Clone()
	d.driver.TLSConfig.MinVersion = tls.VersionTLS13 // the server speaks 1.2, which is then too old
	sqltest.Refuse(t, d.Ping(t.Context()), source.ErrConfig, "protocol version", "the server does not offer TLS 1.2 or later")
}

// TestSessionSettings checks the settings that the statements rely on, whatever the defaults of the login.
func TestSessionSettings(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	if db.here != nil {
		t.Skipf("%s is not set", onServer)
	}
	db.exec("CREATE TABLE t (id int PRIMARY KEY, at datetime, v varchar(max))", "INSERT INTO t VALUES (1, '2024-01-02T03:04:05', REPLICATE(CONVERT(varchar(max), 'x'), 100000))")
	want := sqltest.ReadSource(t, &Type, db.values(nil), source.Env{})["dbo.t"]
	d := openSource(t, db.values(nil), source.Env{})
	s, err := d.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.HangUp()
	for _, set := range []string{"LANGUAGE German", "DATEFORMAT dmy", "TEXTSIZE 10", "LOCK_TIMEOUT 1", "QUOTED_IDENTIFIER OFF", "ANSI_NULLS OFF", "IMPLICIT_TRANSACTIONS ON"} {
		if err := s.Exec(t.Context(), "SET "+set); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.SetUp(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got := ""
	if err := s.Each(t.Context(), "SELECT v FROM t", nil, func(row []driver.Value) { got = sqlread.TextOf(row[0]) }); err != nil || len(got) != 100_000 {
		t.Errorf("got %d characters, %v", len(got), err)
	}
	if len(want.Docs) != 1 || len(want.Docs[0]) < 100_000 {
		t.Errorf("got %+v", want)
	}
}

// TestReadCommitted checks that without snapshot isolation the consequence and the remedy are logged once.
func TestReadCommitted(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("ALTER DATABASE "+db.name+" SET ALLOW_SNAPSHOT_ISOLATION OFF", "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)",
		"INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")
	log := &sqltest.Logbook{}
	d := openSource(t, db.values(nil), log.Env())
	parts := sqltest.Listed(t, d)
	db.exec("INSERT INTO a VALUES (2)")
	if got := sqltest.Read(t.Context(), parts["dbo.a"]); got.Err != nil || len(got.IDs) != 2 {
		t.Errorf("%+v", got)
	}
	if got := sqltest.Read(t.Context(), parts["dbo.b"]); got.Err != nil || len(got.IDs) != 1 {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "ALTER DATABASE ["+db.name+"] SET ALLOW_SNAPSHOT_ISOLATION ON;") {
		t.Errorf("logged %s", log)
	}
	if diff := cmp.Diff(false, d.snapshot); diff != "" {
		t.Error("it is said that there are snapshots")
	}
}

// TestReadCommittedSnapshot checks that without snapshots for a run, each statement may have one.
func TestReadCommittedSnapshot(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	db.exec("ALTER DATABASE "+db.name+" SET ALLOW_SNAPSHOT_ISOLATION OFF", "ALTER DATABASE "+db.name+" SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE",
		"CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	log := &sqltest.Logbook{}
	part := sqltest.Listed(t, openSource(t, db.values(nil), log.Env()))["dbo.a"]
	defer db.transaction("INSERT INTO a VALUES (2)")("ROLLBACK")
	if got := sqltest.Read(t.Context(), part); got.Err != nil || len(got.IDs) != 1 {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "as of the moment its reading begins") {
		t.Errorf("logged %s", log)
	}
}
