package postgresql

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// settings are the configuration, read and checked.
type settings struct {
	host               string
	port               uint16
	username, password string
	database           string
	schemas            schemaList
	tables             tableList
	tls                *tls.Config // nil: encrypted where the server can, verified never
	attempts           int         // to connect, in all
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		host:     strings.TrimSpace(v.String("host")),
		port:     uint16(v.Int("port")),
		username: v.String("username"),
		password: v.String("password"),
		database: v.String("database"),
		attempts: max(1, v.Int("retry_count")),
	}
	// The forms people paste an IPv6 address in.
	s.host = strings.TrimSuffix(strings.TrimPrefix(s.host, "["), "]")
	var err error
	if s.schemas, err = parseSchemas(v.String("schema")); err != nil {
		return s, configError(err, "")
	}
	if s.tables, err = parseTables(v.List("tables")); err != nil {
		return s, configError(err, `write a name that has a comma, a dot or blanks in quotes, such as tables: ["\"odd, name\""]`)
	}
	if v.Bool("ssl_enabled") {
		s.tls, err = verified(s.host, v.String("ssl_ca"))
	}
	return s, err
}

// verified is the TLS configuration that trusts the system's authorities and those given, and
// accepts only the host that was asked for.
func verified(host, ca string) (*tls.Config, error) {
	if strings.HasPrefix(host, "/") {
		return nil, configError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", host), "set ssl_enabled: false")
	}
	certificates, err := parseCertificates(ca)
	if err != nil {
		return nil, configError(fmt.Errorf("ssl_ca: %w", err), "paste the certificate of the authority as PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
	}
	roots, err := x509.SystemCertPool()
	if err != nil { // no system pool, as in an empty container: the given ones are all there is
		roots = x509.NewCertPool()
	}
	for _, c := range certificates {
		roots.AddCert(c)
	}
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}

func configError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Err: err, Hint: hint}
}
