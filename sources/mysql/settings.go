package mysql

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
	tables   sqlread.TableList
	tls      *tls.Config // nil: no encryption
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		Login:    form.ReadLogin(v, "user"),
		database: v.String("database"),
	}
	var err error
	if s.tables, err = quote.ParseTables(v.List("tables")); err != nil {
		return s, form.ConfigError(err, "write a name that has a comma, a dot or blanks in backticks, such as tables: [\"`odd, name`\"]")
	}
	if !v.Bool("ssl_enabled") {
		return s, nil
	}
	if s.onSocket() {
		return s, form.ConfigError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", s.Host), "set ssl_enabled: false")
	}
	s.tls, err = link.VerifiedTLS(s.Host, v.String("ssl_ca"))
	return s, err
}

// onSocket reports whether the server is reached by a Unix socket.
func (s *settings) onSocket() bool { return strings.HasPrefix(s.Host, "/") }
