package postgresql

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// settings are the checked configuration.
type settings struct {
	form.Login
	database string
	schemas  sqlread.SchemaList
	tables   sqlread.TableList
	tls      *tls.Config // nil: encrypted if the server supports it, never verified
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		Login:    form.ReadLogin(v, "username"),
		database: v.String("database"),
	}
	var err error
	if s.schemas, err = quote.ParseSchemas(v.String("schema")); err != nil {
		return s, form.ConfigError(err, "")
	}
	if s.tables, err = quote.ParseTables(v.List("tables")); err != nil {
		return s, form.ConfigError(err, `write a name that has a comma, a dot or blanks in quotes, such as tables: ["\"odd, name\""]`)
	}
	if v.Bool("ssl_enabled") {
		s.tls, err = verified(s.Host, v.String("ssl_ca"))
	}
	return s, err
}

// verified is the TLS configuration that trusts the system's authorities and the given ones, and
// accepts only the configured host.
func verified(host, ca string) (*tls.Config, error) {
	if strings.HasPrefix(host, "/") {
		return nil, form.ConfigError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", host), "set ssl_enabled: false")
	}
	return link.VerifiedTLS(host, ca)
}
