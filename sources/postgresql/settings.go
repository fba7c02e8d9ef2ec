package postgresql

import (
	"crypto/tls"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
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
	if s.schemas, err = quote.ReadSchemas(v); err != nil {
		return s, err
	}
	if s.tables, err = quote.ReadTables(v); err != nil {
		return s, err
	}
	s.tls, err = sqlread.ReadTLS(s.Login, v)
	return s, err
}
