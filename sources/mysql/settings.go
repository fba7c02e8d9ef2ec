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

// settings are the configuration, read and checked.
type settings struct {
	host           string
	port           int
	user, password string
	database       string
	tables         sqlread.TableList
	tls            *tls.Config // nil: nothing is encrypted
	attempts       int         // to connect, in all
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		host:     strings.TrimSpace(v.String("host")),
		port:     v.Int("port"),
		user:     v.String("user"),
		password: v.String("password"),
		database: v.String("database"),
		attempts: max(1, v.Int("retry_count")),
	}
	// The forms people paste an IPv6 address in.
	s.host = strings.TrimSuffix(strings.TrimPrefix(s.host, "["), "]")
	var err error
	if s.tables, err = quote.ParseTables(v.List("tables")); err != nil {
		return s, form.ConfigError(err, "write a name that has a comma, a dot or blanks in backticks, such as tables: [\"`odd, name`\"]")
	}
	if !v.Bool("ssl_enabled") {
		return s, nil
	}
	if s.onSocket() {
		return s, form.ConfigError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", s.host), "set ssl_enabled: false")
	}
	s.tls, err = link.VerifiedTLS(s.host, v.String("ssl_ca"))
	return s, err
}

// onSocket reports whether the server is reached by a socket in the file system.
func (s *settings) onSocket() bool { return strings.HasPrefix(s.host, "/") }
