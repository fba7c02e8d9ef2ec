package link

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// UntrustedHint is what to do about a certificate that [VerifiedTLS] does not accept.
const UntrustedHint = "ssl_ca must contain the authority that signed the server's certificate, and host must be a name in the certificate"

// VerifiedTLS is the TLS configuration that trusts the system's authorities and those given, and
// accepts only the host that was asked for.
func VerifiedTLS(host, ca string) (*tls.Config, error) {
	roots := SystemRoots()
	if err := Trust(roots, ca); err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}

// Trust adds the authorities of the key ssl_ca, in any form that [ParseCertificates] reads.
func Trust(roots *x509.CertPool, ca string) error {
	certificates, err := ParseCertificates(ca)
	if err != nil {
		return form.ConfigError(fmt.Errorf("ssl_ca: %w", err), "paste the certificate of the authority as PEM, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
	}
	for _, c := range certificates {
		roots.AddCert(c)
	}
	return nil
}

// SystemRoots are the authorities that the system trusts; none in an empty container.
func SystemRoots() *x509.CertPool {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return x509.NewCertPool()
	}
	return roots
}
