package elastic

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// TLS defines how the server proves its identity, and the client its own. Files are PEM.
type TLS struct {
	CAFile        string // authorities trusted in addition to the system's
	CAFingerprint string // SHA-256 of a certificate in the server's chain, in hex, colons allowed
	CertFile      string // client certificate
	KeyFile       string
	Insecure      bool   // nothing is verified
	Host          string // of the address; TLS does not send it to a server reached by IP address
}

var errFingerprint = errors.New("no certificate of the server has the configured fingerprint")

// NewTransport creates a transport tuned for a few long bulk requests sent concurrently. The proxy is
// taken from the environment.
func NewTransport(t TLS, connections int) (*http.Transport, error) {
	conf, err := t.config()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           2 * connections,
		MaxIdleConnsPerHost:    2 * connections,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		OnProxyConnectResponse: connected,
		DisableCompression:     true, // responses are short or local; unpacking them costs more than it saves
		WriteBufferSize:        128 << 10,
		ReadBufferSize:         64 << 10,
	}, nil
}

func (t TLS) config() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Insecure} //nolint:gosec // only where it is written down
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("elasticsearch.ca_certs: %w", err)
		}
		if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
			conf.RootCAs = x509.NewCertPool()
		}
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("elasticsearch.ca_certs: %s contains no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("elasticsearch.client_cert and client_key: %w", err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	if t.CAFingerprint == "" || t.Insecure {
		return conf, nil
	}
	want, err := hex.DecodeString(strings.ReplaceAll(t.CAFingerprint, ":", ""))
	if err != nil || len(want) != sha256.Size {
		return nil, errors.New("elasticsearch.ca_fingerprint must be 64 hexadecimal digits")
	}
	// A pinned certificate replaces the authorities: Elasticsearch generates its own at its
	// first start, and prints this fingerprint.
	conf.InsecureSkipVerify = true
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		for _, cert := range s.PeerCertificates {
			if sum := sha256.Sum256(cert.Raw); bytes.Equal(sum[:], want) {
				return verifyPinned(s, t.Host, cert)
			}
		}
		return errFingerprint
	}
	return conf, nil
}

// verifyPinned checks that the server's own certificate is the pinned one or was signed by it.
func verifyPinned(s tls.ConnectionState, host string, pinned *x509.Certificate) error {
	leaf := s.PeerCertificates[0]
	if leaf.Equal(pinned) {
		return nil
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(pinned)
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	if s.ServerName != "" {
		host = s.ServerName
	}
	if host == "" { // without a name Verify would accept any
		return errors.New("the server has no known name, so its certificate cannot be verified")
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host})
	return err
}
