package oracle

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// walletWith is a folder with one file.
func walletWith(t *testing.T, name, content string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestTextWallet checks that the server must be one that the wallet trusts, and that it receives the wallet's
// certificate.
func TestTextWallet(t *testing.T) {
	t.Parallel()
	server, own := sqltest.SelfSigned(t, "db.example.org"), sqltest.SelfSigned(t, "client")
	known, err := tlsOf(walletWith(t, textWallet, "Bag Attributes\n"+own.PEM+server.PEM+own.KeyPEM))
	if err != nil {
		t.Fatal(err)
	}
	if len(known.Certificates) != 1 {
		t.Fatalf("it has %d certificates to show", len(known.Certificates))
	}
	other, err := tlsOf(walletWith(t, textWallet, own.PEM))
	if err != nil {
		t.Fatal(err)
	}
	system, err := tlsOf("")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		client *tls.Config
		host   string
		works  bool
	}{
		"known": {known, "db.example.org", true}, "another host": {known, "db2.example.org", false},
		"unknown": {other, "db.example.org", false}, "without a wallet": {system, "db.example.org", false},
	} {
		shown, err := handshake(t, tt.client, tt.host, server.TLS())
		if (err == nil) != tt.works || tt.works && shown != "client" {
			t.Errorf("%s: %q, %v", name, shown, err)
		}
	}
}

// handshake connects to a server and returns the certificate that the server received.
func handshake(t *testing.T, client *tls.Config, host string, server tls.Certificate) (shown string, err error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan string, 1)
	go func() {
		there, err := l.Accept()
		if err != nil {
			done <- err.Error()
			return
		}
		defer there.Close()
		s := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12})
		name := ""
		if s.HandshakeContext(t.Context()) == nil {
			name = s.ConnectionState().PeerCertificates[0].Subject.CommonName
		}
		done <- name
	}()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	client = client.Clone()
	client.ServerName = host
	err = tls.Client(here, client).HandshakeContext(t.Context())
	return <-done, err
}

// TestAutoLoginWallet reads a wallet in the format of orapki, created by testdata/wallet/make.
func TestAutoLoginWallet(t *testing.T) {
	t.Parallel()
	c, err := tlsOf(filepath.Join("testdata", "wallet"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "wallet", "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	want := x509.NewCertPool()
	if !want.AppendCertsFromPEM(text) || !c.RootCAs.Equal(want) {
		t.Error("its authorities are others")
	}
}

// TestInvalidWallets checks that the message says what is wrong and what to do.
func TestInvalidWallets(t *testing.T) {
	t.Parallel()
	a, b := sqltest.SelfSigned(t, "a"), sqltest.SelfSigned(t, "b")
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}))
	for name, tt := range map[string]struct{ file, content, says string }{
		"nothing":                        {"x", "", "neither cwallet.sso nor ewallet.pem exists"},
		"a locked store":                 {lockedStore, "x", "-auto_login"},
		"damaged":                        {autoLogin, "\xa1\xf8\x4e\x36\x00\x00\x00\x06\x00\x00\x00\x20\x06" + strings.Repeat("x", 600), "read cwallet.sso: it is damaged"},
		"empty":                          {autoLogin, "", "read cwallet.sso: "},
		"something else":                 {autoLogin, strings.Repeat("x", 100), "Invalid SSL Wallet"},
		"a key with a password":          {textWallet, a.PEM + secret, "the key in ewallet.pem has a password"},
		"no certificate":                 {textWallet, a.KeyPEM, "it contains no certificate"},
		"the key of another certificate": {textWallet, a.PEM + b.KeyPEM, "belongs to its private key"},
		"a bad certificate":              {textWallet, string(pemOf("CERTIFICATE", []byte("x"))), "a certificate: "},
	} {
		_, err := tlsOf(walletWith(t, tt.file, tt.content))
		if !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error()+source.Hint(err), tt.says) {
			t.Errorf("%s: got %v, hint %q", name, err, source.Hint(err))
		}
	}
}
