package elastic

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// hangsUp listens and gives each connection to serve, which closes it. It returns the address.
func hangsUp(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn) // ends with the connection, which the client closes
		}
	}()
	return l.Addr().String()
}

// chain makes an authority and a certificate that it signed, for those hosts and until then.
func chain(t *testing.T, until time.Time, hosts ...string) (ca *x509.Certificate, leaf tls.Certificate) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, public any, by any) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	began := time.Now().Add(-48 * time.Hour)
	caKey, leafKey := key(), key()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotBefore: began, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca = sign(authority, authority, caKey.Public(), caKey)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "a node"}, NotBefore: began, NotAfter: until}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	cert := sign(template, ca, leafKey.Public(), caKey)
	return ca, tls.Certificate{Certificate: [][]byte{cert.Raw, ca.Raw}, PrivateKey: leafKey, Leaf: cert}
}

// patientTransport is a transport without a proxy that no busy machine makes give up.
func patientTransport(t *testing.T, conf TLS) *http.Transport {
	t.Helper()
	tr, err := NewTransport(conf, 1)
	if err != nil {
		t.Fatal(err)
	}
	tr.Proxy, tr.TLSHandshakeTimeout, tr.DialContext = nil, patience, (&net.Dialer{Timeout: patience}).DialContext
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// node starts a TLS server that answers as Elasticsearch, and returns its address.
func node(t *testing.T, conf *tls.Config) string {
	t.Helper()
	return serveTLS(t, conf).Listener.Addr().String()
}

// serveTLS starts a TLS server that answers as Elasticsearch. Without a configuration it has a certificate of its own.
func serveTLS(t *testing.T, conf *tls.Config) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"version":{"number":"9.5.3"}}`))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = conf
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// TestPermanentErrorsAreNotRetried: the error comes at once, names the address, is of a kind that
// waiting does not fix, and says which line to change.
func TestPermanentErrorsAreNotRetried(t *testing.T) {
	t.Parallel()
	_, cert := chain(t, time.Now().Add(time.Hour), "127.0.0.1")
	expiredCA, expiredCert := chain(t, time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), "127.0.0.1")
	fingerprint := sha256.Sum256(expiredCA.Raw)
	secure := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	wants := secure.Clone()
	wants.ClientAuth = tls.RequireAnyClientCert
	wants12 := wants.Clone()
	wants12.MaxVersion = tls.VersionTLS12
	old := secure.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 //nolint:gosec // that is what is tried
	silentTLS := hangsUp(t, func(c net.Conn) {                          // says nothing to plain text, as Elasticsearch does
		defer c.Close()
		in := bufio.NewReader(c)
		if first, err := in.Peek(1); err == nil && first[0] == 0x16 {
			_ = tls.Server(&peeked{c, in}, secure).HandshakeContext(context.Background())
		}
	})
	silentPlain := hangsUp(t, func(c net.Conn) { // says nothing to TLS
		defer c.Close()
		in := bufio.NewReader(c)
		if first, err := in.Peek(1); err == nil && first[0] != 0x16 {
			_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
	})
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	garbled := hangsUp(t, func(c net.Conn) {
		defer c.Close()
		_, _ = io.WriteString(c, "220 this is mail\r\n")
	})
	for _, tt := range []struct {
		name, url string
		conf      TLS
		kind      error
		hint      string
	}{
		{"http to TLS", "http://" + node(t, secure.Clone()), TLS{}, ErrConfig, `host: "https://127.0.0.1:`},
		{"http to TLS that says nothing", "http://" + silentTLS, TLS{}, ErrConfig, `host: "https://127.0.0.1:`},
		{"https to plain", strings.Replace(plain.URL, "http:", "https:", 1), TLS{}, ErrConfig, `host: "http://127.0.0.1:`},
		{"https to plain that says nothing", "https://" + silentPlain, TLS{}, ErrConfig, `host: "http://127.0.0.1:`},
		{"https to another protocol", "https://" + garbled, TLS{}, ErrConfig, "elasticsearch:"},
		{"a client certificate is wanted", "https://" + node(t, wants), TLS{Insecure: true}, ErrAuth, "elasticsearch.client_cert"},
		{"a client certificate is wanted by TLS 1.2", "https://" + node(t, wants12), TLS{Insecure: true}, ErrConfig, "elasticsearch.client_cert"},
		{"an old version of TLS", "https://" + node(t, old), TLS{Insecure: true}, ErrConfig, "TLS 1.2"},
		{
			"a certificate that has expired", "https://" + node(t, &tls.Config{Certificates: []tls.Certificate{expiredCert}, MinVersion: tls.VersionTLS12}),
			TLS{CAFingerprint: hex.EncodeToString(fingerprint[:]), Host: "127.0.0.1"},
			ErrConfig, "on 2026-01-02 03:04 UTC",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, Config{URL: tt.url, Transport: patientTransport(t, tt.conf)}).Await(t.Context(), patient, func(err error) { t.Fatalf("another attempt after %v", err) })
			if !errors.Is(err, tt.kind) || !strings.Contains(Hint(err), tt.hint) || !strings.Contains(err.Error(), tt.url) {
				t.Errorf("%v, hint %q", err, Hint(err))
			}
		})
	}
}

// peeked is a connection of which the beginning was read.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

// TestAServerThatHangsUpIsTriedAgain: it may be about to start.
func TestAServerThatHangsUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	address := hangsUp(t, func(c net.Conn) { _ = c.Close() })
	for _, scheme := range []string{"http://", "https://"} {
		if _, err := newClient(t, Config{URL: scheme + address, Transport: patientTransport(t, TLS{})}).Ping(t.Context()); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// TestAProxyThatRefusesTheConnection: with TLS it is asked for a connection, without for the answer itself.
func TestAProxyThatRefusesTheConnection(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]error{407: ErrAuth, 403: ErrAuth, 502: ErrUnreachable} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(proxy.Close)
		address, err := url.Parse(strings.Replace(proxy.URL, "://", "://user:secret@", 1))
		if err != nil {
			t.Fatal(err)
		}
		rt := patientTransport(t, TLS{})
		rt.Proxy = http.ProxyURL(address)
		_, err = newClient(t, Config{URL: "https://search.example:9200", Transport: rt}).Ping(t.Context())
		if !errors.Is(err, kind) || !strings.Contains(err.Error(), proxy.URL) || strings.Contains(err.Error(), "secret") || Hint(err) == "" {
			t.Errorf("%d: %v, hint %q", status, err, Hint(err))
		}
		_, err = newClient(t, Config{URL: "http://search.example:9200", Transport: rt}).Ping(t.Context())
		if status == 407 && (!errors.Is(err, ErrAuth) || !strings.Contains(Hint(err), "HTTP_PROXY")) {
			t.Errorf("%d without TLS: %v, hint %q", status, err, Hint(err))
		}
	}
}

// TestAPinnedAuthorityDoesNotVouchForOtherHosts: not for an IP address either, which a server does not
// learn from the handshake.
func TestAPinnedAuthorityDoesNotVouchForOtherHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hosts []string
		good  bool
	}{
		{[]string{"127.0.0.1"}, true}, {[]string{"127.0.0.2", "localhost"}, false}, {[]string{"other.example"}, false},
	} {
		ca, cert := chain(t, time.Now().Add(time.Hour), tt.hosts...)
		fingerprint := sha256.Sum256(ca.Raw)
		address := node(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
		rt := patientTransport(t, TLS{CAFingerprint: hex.EncodeToString(fingerprint[:]), Host: "127.0.0.1"})
		_, err := newClient(t, Config{URL: "https://" + address, Transport: rt}).Ping(t.Context())
		if (err == nil) != tt.good || err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("a certificate of %v: %v", tt.hosts, err)
		}
	}
}
