package mssql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// settings are the configuration, read and checked.
type settings struct {
	form.Login
	instance     string // named, whose port its browser service knows
	database     string
	schemas      sqlread.SchemaList
	tables       sqlread.TableList
	tls          *tls.Config // nil: no more is encrypted than the server demands
	validateHost bool        // in the server's certificate
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		Login:    form.ReadLogin(v, "username"),
		database: v.String("database"),
	}
	s.Host, s.instance, _ = strings.Cut(s.Host, `\`)
	s.Host = form.WithoutBrackets(s.Host)
	var err error
	if s.schemas, err = quote.ParseSchemas(v.String("schema")); err != nil {
		return s, form.ConfigError(err, "write a name that has a comma in brackets, such as schema: \"[odd, name]\"")
	}
	if s.tables, err = quote.ParseTables(v.List("tables")); err != nil {
		return s, form.ConfigError(err, `write a name that has a comma, a dot or blanks in brackets, such as tables: ["[odd, name]"]`)
	}
	if !v.Bool("ssl_enabled") {
		return s, nil
	}
	if s.tls, err = link.VerifiedTLS(s.Host, v.String("ssl_ca")); err != nil {
		return s, err
	}
	s.validateHost = v.Bool("validate_host")
	name := ""
	if s.validateHost {
		name = s.Host
	}
	s.tls.InsecureSkipVerify = true // what is skipped is checked next, the name only where that is asked for
	s.tls.VerifyConnection = verifyChain(s.tls.RootCAs, name)
	return s, nil
}

// fallbackName is who signs the certificate that a server makes for itself where it was given none, see
// https://learn.microsoft.com/sql/database-engine/configure-windows/configure-sql-server-encryption.
const fallbackName = "SSL_Self_Signed_Fallback"

// errSelfMade tells such a certificate. Its number is often negative, which the program takes because of a line
// of go.mod: without ssl_enabled nothing of a certificate is looked at.
var errSelfMade = errors.New("it is the certificate that the server made for itself")

// verifyChain checks who signed the server's certificate, and for which host where one is given.
func verifyChain(roots *x509.CertPool, host string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return &tls.CertificateVerificationError{Err: errors.New("the server has shown no certificate")}
		}
		others := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			others.AddCert(c)
		}
		shown := state.PeerCertificates[0]
		_, err := shown.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, DNSName: host})
		if err != nil {
			if shown.Issuer.CommonName == fallbackName || shown.SerialNumber.Sign() < 0 {
				err = fmt.Errorf("%w; %w", err, errSelfMade)
			}
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		return nil
	}
}

// address is the server as people call it.
func (s *settings) address() string {
	if s.instance != "" {
		return s.Host + `\` + s.instance
	}
	return fmt.Sprintf("%s port %d", s.Host, s.Port)
}
