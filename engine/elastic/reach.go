package elastic

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// This file classifies why a server is not reached: an error that waiting cannot fix is one of configuration
// or of permission, with the line to change, and is not retried.

// ConnError is a request that got no response.
type ConnError struct {
	Op   string
	Kind error // ErrUnreachable, ErrConfig or ErrAuth
	Err  error
	Tip  string // what to do, one sentence; may be empty
}

func (e *ConnError) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.Err) }

// Unwrap returns the kind and the cause.
func (e *ConnError) Unwrap() []error { return []error{e.Kind, e.Err} }

// errOtherProtocol is a server that speaks the other one of http and https.
type errOtherProtocol struct{ host string }

func (e *errOtherProtocol) Error() string {
	scheme, _, _ := strings.Cut(e.host, "://")
	if scheme == "https" {
		return "the server speaks TLS, and the configured address is http://"
	}
	return "the server does not speak TLS, and the configured address is https://"
}

// connError adds the kind to an error of the transport. asked is the configured address.
func connError(op string, asked *url.URL, err error) error {
	if _, crashed := errors.AsType[*crash.Error](err); crashed { // of the embedded destination: waiting does not fix it
		return fmt.Errorf("%s: %w", op, err)
	}
	e := &ConnError{Op: op, Kind: ErrUnreachable, Err: err}
	if tip, kind := certificateTrouble(err); kind != nil {
		e.Kind, e.Tip = kind, tip
		return e
	}
	var other *errOtherProtocol
	var elsewhere *redirectError
	var proxy *proxyError
	switch text := err.Error(); {
	case errors.As(err, &other):
		e.Kind, e.Tip = ErrConfig, hostLine(other.host)
	case errors.As(err, &elsewhere):
		e.Kind, e.Tip = ErrConfig, hostLine(elsewhere.target())
	case errors.As(err, &proxy):
		e.Kind, e.Tip = proxy.kind(), proxy.tip()
	case errors.Is(err, errNotElasticsearch):
		e.Kind, e.Tip = ErrConfig, "elasticsearch.host must name an Elasticsearch server, not a proxy's or another program's page"
	case strings.Contains(text, "server gave HTTP response to HTTPS client"), strings.Contains(text, "first record does not look like a TLS handshake"):
		e.Kind, e.Tip = ErrConfig, "this server does not speak TLS: "+hostLine(withScheme(asked, "http"))
	case strings.Contains(text, "malformed HTTP response"):
		e.Kind, e.Tip = ErrConfig, "this server seems to require TLS: "+hostLine(withScheme(asked, "https"))
	}
	return e
}

// hostLine is the configuration line to write.
func hostLine(host string) string {
	if host == "" {
		return "elasticsearch.host must name the server itself, not one that redirects to it"
	}
	return fmt.Sprintf("write host: %q under elasticsearch:", host)
}

func withScheme(asked *url.URL, scheme string) string {
	u := url.URL{Scheme: scheme, Host: asked.Host, Path: asked.Path}
	return u.String()
}

// certificateTrouble classifies errors of certificates and of the TLS protocol; kind is nil for others.
func certificateTrouble(err error) (tip string, kind error) {
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	switch text := err.Error(); {
	case errors.As(err, &host):
		return "use a host name that is in the server's certificate", ErrConfig
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return expired(invalid.Cert, time.Now()), ErrConfig
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &verify), errors.Is(err, errFingerprint):
		return "name the authority that signed the server's certificate with elasticsearch.ca_certs or elasticsearch.ca_fingerprint", ErrConfig
	case strings.Contains(text, "remote error: tls: protocol version not supported"), strings.Contains(text, "server selected unsupported protocol version"):
		return "enable TLS 1.2 or 1.3 on the server, or on the proxy in front of it", ErrConfig
	case strings.Contains(text, "remote error: tls: certificate required"), strings.Contains(text, "remote error: tls: bad certificate"),
		strings.Contains(text, "remote error: tls: unknown certificate"), strings.Contains(text, "remote error: tls: expired certificate"),
		strings.Contains(text, "remote error: tls: revoked certificate"), strings.Contains(text, "remote error: tls: unsupported certificate"),
		strings.Contains(text, "remote error: tls: access denied"):
		return "the server requires a client certificate: set one that it accepts with elasticsearch.client_cert and elasticsearch.client_key", ErrAuth
	case strings.Contains(text, "remote error: tls: handshake failure"):
		return "server and client have no cipher in common, or the server requires a client certificate: see elasticsearch.client_cert and elasticsearch.client_key", ErrConfig
	case strings.Contains(text, "remote error: tls: unrecognized name"):
		return "the server does not know this host name: correct elasticsearch.host", ErrConfig
	}
	return "", nil
}

// expired says since when a certificate has been invalid, or from when it will be valid.
func expired(cert *x509.Certificate, now time.Time) string {
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
	if now.Before(cert.NotBefore) {
		return fmt.Sprintf("the certificate of %s is valid from %s; check the clock of this machine, which says %s", cert.Subject, day(cert.NotBefore), day(now))
	}
	return fmt.Sprintf("the certificate of %s expired on %s; renew it on the server", cert.Subject, day(cert.NotAfter))
}

// proxyError is a proxy that refuses a request.
type proxyError struct {
	proxy  string // its address without credentials; "" if unknown
	status int
}

func (e *proxyError) Error() string {
	name := "the proxy"
	if e.proxy != "" {
		name = "the proxy " + e.proxy
	}
	if e.status == http.StatusProxyAuthRequired {
		return name + " requires a user name and a password (407)"
	}
	return fmt.Sprintf("%s answered %d %s", name, e.status, http.StatusText(e.status))
}

func (e *proxyError) kind() error {
	switch e.status {
	case http.StatusProxyAuthRequired, http.StatusForbidden, http.StatusUnauthorized:
		return ErrAuth
	}
	return ErrUnreachable
}

func (e *proxyError) tip() string {
	if e.status == http.StatusProxyAuthRequired {
		return "set them in the environment variable HTTPS_PROXY or HTTP_PROXY: http://USER:PASSWORD@HOST:PORT; NO_PROXY lists hosts to reach without a proxy"
	}
	return "allow this host in the proxy, or list the host in the environment variable NO_PROXY"
}

// connected checks a proxy's response to a CONNECT request.
func connected(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	bare := url.URL{Scheme: proxy.Scheme, Host: proxy.Host}
	return &proxyError{proxy: bare.String(), status: res.StatusCode}
}

// probePatience is the time limit for probing a server that closed the connection without a response.
const probePatience = 5 * time.Second

// otherProtocol checks whether a server that closed the connection speaks the other one of http and https, and returns
// that as the error. A starting server also closes connections, so a probe is the only way to know.
func (c *Client) otherProtocol(ctx context.Context, err error) error {
	t, ok := c.raw.(*http.Transport)
	if !ok || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	if t.Proxy != nil {
		if proxy, perr := t.Proxy(&http.Request{URL: c.address}); perr != nil || proxy != nil {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.probe)
	defer cancel()
	port := c.address.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[c.address.Scheme]
	}
	conn, err := t.DialContext(ctx, "tcp", net.JoinHostPort(c.address.Hostname(), port))
	if err != nil {
		return nil
	}
	defer conn.Close() //nolint:errcheck // nothing was written that matters
	if c.address.Scheme == "http" {
		if speaksTLS(ctx, conn, c.address.Hostname()) {
			return &errOtherProtocol{withScheme(c.address, "https")}
		}
		return nil
	}
	if speaksHTTP(ctx, conn, c.address.Host) {
		return &errOtherProtocol{withScheme(c.address, "http")}
	}
	return nil
}

func speaksTLS(ctx context.Context, conn net.Conn, host string) bool {
	//nolint:gosec // whoever answers gets nothing but the question
	err := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}).HandshakeContext(ctx)
	return err == nil || strings.Contains(err.Error(), "remote error: tls:")
}

func speaksHTTP(ctx context.Context, conn net.Conn, host string) bool {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return false
	}
	begin, err := bufio.NewReader(conn).Peek(len("HTTP/1."))
	return err == nil && string(begin) == "HTTP/1."
}
