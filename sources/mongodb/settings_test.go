package mongodb

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// settingsOf reads a configuration with some keys changed.
func settingsOf(t *testing.T, change map[string]any) (settings, error) {
	t.Helper()
	raw := map[string]any{"host": "mongodb://h:27017", "database": "shop", "collection": "orders"}
	maps.Copy(raw, change)
	v, err := field.Parse(Type.Fields, raw)
	if err != nil {
		t.Fatal(err)
	}
	return newSettings(v, source.Env{})
}

// TestLoginDatabase checks that it is that of the address, wherever the user is configured.
func TestLoginDatabase(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"mongodb://h/?authSource=shop":              "shop",
		"mongodb://h?authSource=shop":               "shop",
		"mongodb://h/shop":                          "shop",
		"mongodb://h":                               "admin",
		"h:27017":                                   "admin",
		"mongodb://other:old@h/shop":                "shop",
		"mongodb://h/shop?authSource=users":         "users",
		"mongodb://h1:1,h2:2,[::1]:3/?authSource=x": "x",
	} {
		s, err := settingsOf(t, map[string]any{"host": host, "user": "et/l@", "password": "p@ss/w:rd %#?"})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if a := s.client.Auth; a == nil || a.Username != "et/l@" || a.Password != "p@ss/w:rd %#?" || a.AuthSource != want {
			t.Errorf("%s: %+v", host, a)
		}
	}
	s, err := settingsOf(t, map[string]any{"host": "mongodb://h/?authMechanism=SCRAM-SHA-1", "user": "u", "password": "p"})
	if err != nil || s.client.Auth.AuthMechanism != "SCRAM-SHA-1" {
		t.Errorf("%v, %+v", err, s.client.Auth)
	}
	s, err = settingsOf(t, map[string]any{"host": "mongodb://u:p%40@h/shop"})
	if a := s.client.Auth; err != nil || a.Username != "u" || a.Password != "p@" || a.AuthSource != "shop" {
		t.Errorf("all in the address: %v, %+v", err, a)
	}
	if s, err = settingsOf(t, nil); err != nil || s.client.Auth != nil {
		t.Errorf("no login: %v, %+v", err, s.client.Auth)
	}
}

// TestPasswordThatIsNotEncoded checks that it is refused before a name is looked up, and that no part of it is shown.
func TestPasswordThatIsNotEncoded(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"mongodb://u:pa@ss/w%rd#1@127.0.0.1:27218/", "mongodb://user:pass:qqq@h/", "mongodb://u:ppp%zz@h/", "mongodb://u:sss3/crettt@h/",
		"mongodb+srv://u:pwd?x=aaa@h/", "u:pwd#bbb@h",
	} {
		_, err := settingsOf(t, map[string]any{"host": host})
		if !errors.Is(err, source.ErrConfig) || !strings.Contains(source.Hint(err), "%40") {
			t.Errorf("%s: %v", host, err)
			continue
		}
		text := err.Error() + source.Hint(err)
		for _, piece := range []string{"w%rd", "pass:", "qqq", "ppp", "sss3", "crettt", "aaa", "bbb", "127.0.0.1"} {
			if strings.Contains(text, piece) {
				t.Errorf("%s: %q is in: %s", host, piece, text)
			}
		}
	}
}

// TestPasswordIsNeverShown checks errors of the driver and the log.
func TestPasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	const password = "sw0rdf1sh"
	var logged bytes.Buffer
	env := source.Env{Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for name, raw := range map[string]map[string]any{
		"an unknown option":   {"host": "mongodb://u:" + password + "@127.0.0.1:1/?w=-1&readPreference=" + password},
		"no server":           {"host": "mongodb://u:" + password + "@127.0.0.1:1/?serverSelectionTimeoutMS=50", "retry_count": 1},
		"in the field":        {"host": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "user": "u", "password": password, "retry_count": 1},
		"an impossible login": {"host": "mongodb://127.0.0.1:1/?authMechanism=" + password, "user": "u", "password": password},
	} {
		raw["database"], raw["collection"] = "d", "c"
		err := openErr(t, raw, env)
		if err == nil || strings.Contains(err.Error()+source.Hint(err), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(logged.String(), password) {
		t.Errorf("logged: %s", logged.String())
	}
}

// TestSettingsThatDisagree checks that each error names both settings.
func TestSettingsThatDisagree(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change map[string]any
		says   []string
	}{
		"SRV without TLS":   {map[string]any{"host": "mongodb+srv://127.0.0.1"}, []string{"mongodb+srv", "ssl_enabled"}},
		"tls=true":          {map[string]any{"host": "mongodb://h/?tls=true"}, []string{"tls=true", "ssl_enabled"}},
		"ssl=false":         {map[string]any{"host": "mongodb://h/?ssl=false", "ssl_enabled": true}, []string{"ssl=false", "ssl_enabled"}},
		"tlsInsecure":       {map[string]any{"host": "mongodb://h/?tls=true&tlsInsecure=true", "ssl_enabled": true}, []string{"tlsInsecure=true", "tls_insecure"}},
		"scheme":            {map[string]any{"host": "http://h"}, []string{"scheme"}},
		"database":          {map[string]any{"database": "a/b"}, []string{"database"}},
		"password alone":    {map[string]any{"password": "x"}, []string{"user"}},
		"direct and many":   {map[string]any{"host": "mongodb://a,b", "direct_connection": true}, []string{"direct"}},
		"no authority":      {map[string]any{"ssl_enabled": true, "ssl_ca": "hello"}, []string{"ssl_ca"}},
		"dates":             {map[string]any{"datetime_conversion": "DATETIME_ODD"}, []string{"datetime_conversion"}},
		"UUIDs":             {map[string]any{"host": "mongodb://h/?uuidRepresentation=odd"}, []string{"uuidRepresentation"}},
		"collection":        {map[string]any{"collection": ","}, []string{"collection"}},
		"pattern":           {map[string]any{"collection": "a[b"}, []string{"collection"}},
		"client key absent": {map[string]any{"host": "mongodb://h/?tls=true&tlsCertificateKeyFile=/absent.pem", "ssl_enabled": true}, []string{"/absent.pem"}},
	} {
		if name == "dates" {
			v, err := newValueForms("DATETIME_ODD", "", "")
			if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), "datetime_conversion") {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
			continue
		}
		_, err := settingsOf(t, tt.change)
		if !errors.Is(err, source.ErrConfig) || source.Hint(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, source.Hint(err))
			continue
		}
		for _, s := range tt.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v does not say %s", name, err, s)
			}
		}
	}
	if s, err := settingsOf(t, map[string]any{"datetime_conversion": ""}); err != nil || s.values.dates != datesDefault {
		t.Errorf("a choice that was cleared: %v", err)
	}
}

// refusedHandshake opens a source and returns its error once a handshake has failed, which server selection does not
// wait for: if none has been completed, it tries again with more time.
func refusedHandshake(t *testing.T, open func(selection time.Duration) error) (err error) {
	t.Helper()
	selection := time.Second
	sqltest.Eventually(t, "a handshake fails", func() bool {
		selection = min(2*selection, connectTimeout-time.Second)
		if err = open(selection); !errors.Is(err, source.ErrConfig) {
			t.Logf("in %v: %v", selection, err)
			return false
		}
		return true
	})
	return err
}

// TestTLS checks that the field's authority is trusted in addition to what the address contains, whose client
// certificate is sent.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, other := sqltest.SelfSigned(t, "authority"), sqltest.SelfSigned(t, "authority")
	clients := x509.NewCertPool()
	clients.AddCert(ours.Certificate)
	f := newTLSFake(t, &tls.Config{
		Certificates: []tls.Certificate{ours.Issue(t, "server").TLS()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}, numbered("collection", "orders"))
	plain := "mongodb://" + f.address + "/?tls=true"
	host := plain + "&tlsCertificateKeyFile=" + clientFile(t, ours)
	oneLine := strings.Join(strings.Fields(other.PEM+ours.PEM), " ")
	for name, tt := range map[string]struct {
		change  map[string]any
		refused bool
	}{
		"the right authority": {map[string]any{"host": host, "ssl_ca": oneLine}, false},
		"the wrong authority": {map[string]any{"host": host, "ssl_ca": other.PEM}, true},
		"no verification":     {map[string]any{"host": host, "ssl_ca": other.PEM, "tls_insecure": true}, false},
		"no client key":       {map[string]any{"host": plain, "ssl_ca": ours.PEM}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.change["ssl_enabled"], tt.change["retry_count"] = true, 10 // attempts of 15 s, on a machine that is busy
			host := tt.change["host"]
			if !tt.refused {
				if r := sqltest.ReadAll(t, f.open(tt.change, source.Env{}))["orders"]; r.Err != nil || len(r.IDs) != 20 {
					t.Errorf("%d documents, %v", len(r.IDs), r.Err)
				}
				return
			}
			_ = refusedHandshake(t, func(selection time.Duration) error {
				tt.change["host"], tt.change["retry_count"] = fmt.Sprintf("%s&serverSelectionTimeoutMS=%d", host, selection.Milliseconds()), 1
				return openErr(t, f.values(tt.change), source.Env{})
			})
		})
	}
}

// clientFile is a file with the certificate of a client and its key.
func clientFile(t *testing.T, authority *sqltest.Identity) string {
	t.Helper()
	client, file := authority.Issue(t, "client"), filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(file, []byte(client.PEM+client.KeyPEM), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAFailedHandshakeIsNotLost checks that a server that refuses the client's certificate and then closes each
// connection is an error of the configuration, although the last error of the driver is that of the connection.
func TestAFailedHandshakeIsNotLost(t *testing.T) {
	t.Parallel()
	ours := sqltest.SelfSigned(t, "authority")
	server := &tls.Config{Certificates: []tls.Certificate{ours.Issue(t, "server").TLS()}, ClientAuth: tls.RequireAndVerifyClientCert}
	err := refusedHandshake(t, func(selection time.Duration) error {
		address, stop := refuseOnce(t, server)
		defer stop()
		return openErr(t, (&fake{t: t}).values(map[string]any{
			"host": fmt.Sprintf("mongodb://%s/?serverSelectionTimeoutMS=%d", address, selection.Milliseconds()), "ssl_enabled": true, "ssl_ca": ours.PEM, "retry_count": 1,
		}), source.Env{})
	})
	if !strings.Contains(err.Error(), "tls: ") {
		t.Errorf("got %v", err)
	}
}

// refuseOnce listens: the first connection ends in a handshake, and each of the others at once.
func refuseOnce(t *testing.T, config *tls.Config) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { // ends with the listener
		defer close(served)
		for spoke := false; ; spoke = true {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !spoke {
				_ = tls.Server(c, config).Handshake()
				_, _ = io.Copy(io.Discard, c) // a reset would overtake the alert
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String(), func() { _ = l.Close(); <-served }
}

// TestX509Login checks that it needs no password.
func TestX509Login(t *testing.T) {
	t.Parallel()
	a := sqltest.SelfSigned(t, "authority")
	s, err := settingsOf(t, map[string]any{"host": "mongodb://h/?tls=true&authMechanism=MONGODB-X509&tlsCertificateKeyFile=" + clientFile(t, a), "ssl_enabled": true, "ssl_ca": a.PEM})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.client; c.Auth == nil || c.Auth.AuthMechanism != "MONGODB-X509" || len(c.TLSConfig.Certificates) != 1 {
		t.Errorf("%+v", c.Auth)
	}
}

// TestCollectionNames checks which collections the key collection selects.
func TestCollectionNames(t *testing.T) {
	t.Parallel()
	for text, tt := range map[string]struct {
		wants, leaves string // between blanks
		single        bool
	}{
		"orders":           {"orders", "order orders2 system.views", true},
		" orders , a.b ":   {"orders a.b", "a", false},
		"*":                {"orders a.b a/b", "system.views system.buckets.x", false},
		"log_?, x[12]":     {"log_1 x1 x2", "log_ log_12 x3", false},
		"*, -log_*":        {"orders", "log_1", false},
		"-orders":          {"customers", "orders system.js", false},
		`odd\,name\*`:      {"odd,name*", "odd", true},
		"system.profile":   {"system.profile", "system.views", true},
		"-a, -b":           {"c", "a b", false},
		"orders, orders":   {"orders", "x", true},
		"orders, -orders*": {"", "orders", false},
	} {
		l, err := parseNames(text)
		if err != nil || l.single() != tt.single {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
		for c := range strings.FieldsSeq(tt.wants) {
			if !l.wants(c) {
				t.Errorf("%q leaves out %s", text, c)
			}
		}
		for c := range strings.FieldsSeq(tt.leaves) {
			if l.wants(c) {
				t.Errorf("%q asks for %s", text, c)
			}
		}
	}
}

// TestScopeOfDocuments has documents of one collection, which do not contain its name, and of several, which do.
func TestScopeOfDocuments(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		collection string
		fields     map[string]any
		want       string
		ok         bool
	}{
		"one":              {"orders", map[string]any{}, "orders", true},
		"several":          {"*", map[string]any{databaseField: "shop", collectionField: "a"}, "a", true},
		"another database": {"*", map[string]any{databaseField: "old", collectionField: "a"}, "old/a", true},
		"one, from a list": {"orders", map[string]any{databaseField: "shop", collectionField: "b"}, "b", true},
		"several, nothing": {"*", map[string]any{}, "", false},
		"odd":              {"orders", map[string]any{databaseField: "shop", collectionField: 3}, "", false},
		"half":             {"orders", map[string]any{databaseField: "shop"}, "", false},
	} {
		v, err := field.Parse(Type.Fields, map[string]any{"host": "h", "database": "shop", "collection": tt.collection})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := Type.ScopeOf(v, tt.fields); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q, %t", name, got, ok)
		}
	}
}

// TestWrongPassword checks that it is tried once.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	f := newFake(t, func(name string, command bson.Raw) any {
		if name == "saslStart" {
			return serverError{18, "AuthenticationFailed", "Authentication failed."}
		}
		return numbered("collection", "orders")(name, command)
	})
	err := openErr(t, f.values(map[string]any{"host": "mongodb://" + f.address + "/shop", "user": "u", "password": "wrong"}), source.Env{})
	if !errors.Is(err, source.ErrAuth) || !strings.Contains(source.Hint(err), "authSource") {
		t.Errorf("%v, hint %q", err, source.Hint(err))
	}
	tries := f.commands("saslStart")
	if len(tries) != 1 || tries[0].Lookup("$db").StringValue() != "shop" {
		t.Errorf("%d tries: %v", len(tries), tries)
	}
}
