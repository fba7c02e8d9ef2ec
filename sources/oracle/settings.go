package oracle

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// settings are the checked configuration.
type settings struct {
	form.Login
	owner     string // the user's own schema
	database  string // the SID or the service name
	sid       bool   // it is a SID
	tables    sqlread.TableList
	others    sqlread.TableList // the entries of tables that name a schema
	fetchSize int               // rows
	tls       *tls.Config       // nil: no encryption
	idle      []string          // keys that are set and have no effect
}

func newSettings(v field.Values) (settings, error) {
	s := settings{
		Login:     form.ReadLogin(v, "username"),
		owner:     ownerOf(v.String("username")),
		database:  databaseName(v),
		sid:       v.String("connection_source") == bySID,
		fetchSize: v.Int("fetch_size"),
	}
	for key, value := range map[string]string{"host": s.Host, v.String("connection_source"): s.database} {
		if strings.ContainsAny(value, "()= \t\r\n") {
			return s, form.ConfigError(fmt.Errorf("%s: %q is not a name", key, value), "write only the name; connect descriptors are not supported")
		}
	}
	if err := s.parseTables(v.List("tables")); err != nil {
		return s, err
	}
	if v.String("oracle_home") != "" {
		s.idle = append(s.idle, "oracle_home")
	}
	wallet := v.String("wallet_configuration_path")
	if v.String("oracle_protocol") != overTLS {
		if wallet != "" {
			s.idle = append(s.idle, "wallet_configuration_path")
		}
		return s, nil
	}
	var err error
	s.tls, err = tlsOf(wallet)
	return s, err
}

// parseTables reads the table list. A schema cannot be a pattern: searching all schemas that the user can see would be
// too much.
func (s *settings) parseTables(members []string) (err error) {
	const hint = `write TABLE or SCHEMA.TABLE; a name with a comma, a dot, blanks or lower-case letters in double quotes, such as tables: ["\"odd, name\""]`
	if s.tables, err = quote.ParseTables(members); err != nil {
		return form.ConfigError(err, hint)
	}
	for _, e := range s.tables.Entries {
		switch {
		case e.Schema == sqlread.Name{}:
		case !e.Schema.Exact:
			return form.ConfigError(fmt.Errorf("tables: %q: the schema is a pattern", e.Text), "name each schema")
		default:
			s.others.Entries = append(s.others.Entries, e)
		}
	}
	return nil
}

// databaseName is the database's name in ids and documents.
func databaseName(v field.Values) string {
	return strings.TrimSpace(v.String(v.String("connection_source")))
}

// ownerOf is the schema of a user: the server upper-cases an unquoted name.
func ownerOf(username string) string {
	username = strings.TrimSpace(username)
	if n, rest, err := quote.ParseName(username, ""); err == nil && rest == "" && strings.HasPrefix(username, `"`) {
		return n.Text
	}
	return strings.ToUpper(username)
}
