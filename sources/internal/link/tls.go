package link

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// VerifiedTLS is the TLS configuration that trusts the system's authorities and those given, and
// accepts only the host that was asked for.
func VerifiedTLS(host, ca string) (*tls.Config, error) {
	certificates, err := ParseCertificates(ca)
	if err != nil {
		return nil, form.ConfigError(fmt.Errorf("ssl_ca: %w", err), "paste the certificate of the authority as PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
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
