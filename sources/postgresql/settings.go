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

// settings are the configuration, read and checked.
type settings struct {
	host               string
	port               uint16
	username, password string
	database           string
	schemas            sqlread.SchemaList
	tables             sqlread.TableList
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
	if s.schemas, err = quote.ParseSchemas(v.String("schema")); err != nil {
		return s, form.ConfigError(err, "")
	}
	if s.tables, err = quote.ParseTables(v.List("tables")); err != nil {
		return s, form.ConfigError(err, `write a name that has a comma, a dot or blanks in quotes, such as tables: ["\"odd, name\""]`)
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
		return nil, form.ConfigError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", host), "set ssl_enabled: false")
	}
	return link.VerifiedTLS(host, ca)
}
