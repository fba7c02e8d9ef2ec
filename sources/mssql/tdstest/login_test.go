package tdstest_test

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

func TestLoginsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		user, password, database string
		refusal                  *tdstest.Message
		want                     int32
	}{
		"wrong password":               {"reader", "secret", "shop", nil, 18456},
		"wrong user":                   {"writer", config().Password, "shop", nil, 18456},
		"wrong database":               {"reader", config().Password, "nosuch", nil, 4060},
		"the server's database":        {"reader", config().Password, "", nil, 0},
		"another case":                 {"reader", config().Password, "SHOP", nil, 0},
		"refused although valid":       {"reader", config().Password, "shop", &tdstest.Message{Number: 40613}, 40613},
		"a valid login is accepted":    {"reader", config().Password, "shop", nil, 0},
		"passwords are case-sensitive": {"reader", strings.ToUpper(config().Password), "shop", nil, 18456},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tdstest.New(t, config())
			answer(s, "select 1;", tdstest.Result{}) // the driver's ping
			if tt.refusal != nil {
				s.RefuseLogin(*tt.refusal)
			}
			u, err := url.Parse(s.DSN())
			if err != nil {
				t.Fatal(err)
			}
			u.User = url.UserPassword(tt.user, tt.password)
			query := u.Query()
			query.Set("database", tt.database)
			query.Set("app name", "unit")
			u.RawQuery = query.Encode()
			err = open(t, u.String()).PingContext(t.Context())
			if got := numbers(err); tt.want == 0 && err != nil || tt.want != 0 && !got[tt.want] {
				t.Errorf("got %v, want the number %d", err, tt.want)
			}
			want := tdstest.Login{User: tt.user, Database: tt.database, App: "unit"}
			if d := cmp.Diff(want, s.Logins()[0]); d != "" {
				t.Errorf("login differs:\n%s", d)
			}
		})
	}
}

// numbers are the numbers of all errors that the server sent.
func numbers(err error) map[int32]bool {
	got := map[int32]bool{}
	if e, ok := errors.AsType[mssql.Error](err); ok {
		got[e.Number] = true
		for _, one := range e.All {
			got[one.Number] = true
		}
	}
	return got
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		server    tdstest.Encryption
		client    msdsn.Encryption
		host      string // host name that the certificate must have
		encrypted bool
		refused   bool
	}{
		"the client wants no encryption": {tdstest.EncryptLogin, msdsn.EncryptionDisabled, "", false, false},
		"only the login":                 {tdstest.EncryptLogin, msdsn.EncryptionOff, "", true, false},
		"all":                            {tdstest.EncryptLogin, msdsn.EncryptionRequired, "", true, false},
		"the server forces it":           {tdstest.EncryptAll, msdsn.EncryptionOff, "", true, false},
		"the server forces it, and the client has no encryption":   {tdstest.EncryptAll, msdsn.EncryptionDisabled, "", false, true},
		"the server has no encryption":                             {tdstest.NoEncryption, msdsn.EncryptionOff, "", false, false},
		"the server has no encryption, and the client requires it": {tdstest.NoEncryption, msdsn.EncryptionRequired, "", false, true},
		"certificate of the right host":                            {tdstest.EncryptAll, msdsn.EncryptionRequired, "localhost", true, false},
		"certificate of another host":                              {tdstest.EncryptAll, msdsn.EncryptionRequired, "127.0.0.1", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config()
			cfg.Encryption = tt.server
			s := tdstest.New(t, cfg)
			long := strings.Repeat("x", 100000)
			answer(s, "SELECT c", tdstest.Result{
				Columns: []tdstest.Column{{Name: "c", Type: tdstest.VarChar, Size: tdstest.Max}}, Rows: [][]any{{long}},
			})
			driver, err := msdsn.Parse(s.DSN())
			if err != nil {
				t.Fatal(err)
			}
			driver.Encryption = tt.client
			if tt.host != "" {
				driver.TLSConfig.InsecureSkipVerify = false
				driver.TLSConfig.ServerName = tt.host
				driver.TLSConfig.RootCAs = x509.NewCertPool()
				driver.TLSConfig.RootCAs.AppendCertsFromPEM(s.CA())
			}
			got, err := read(t.Context(), openConfig(t, driver), "SELECT c")
			if (err != nil) != tt.refused {
				t.Fatalf("got the error %v", err)
			}
			if tt.refused {
				return
			}
			if len(got) != 1 || got[0][0] != long {
				t.Errorf("the response is incomplete: %d rows", len(got))
			}
			if encrypted := s.Logins()[0].Encrypted; encrypted != tt.encrypted {
				t.Errorf("the login was encrypted: %v", encrypted)
			}
		})
	}
}
