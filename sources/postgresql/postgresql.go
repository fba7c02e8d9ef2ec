// Package postgresql reads tables of a PostgreSQL database: each table is a part, or several if it is
// large, each row a document.
//
// It reads base tables and partitioned tables, and views and foreign tables that are named, all
// of them from one snapshot, or the results of queries instead. So the documents of a run are the state at one
// instant. It does not decide which rows are new, changed or deleted.
//
// Its invariant: a part ends without error only if every row that the snapshot holds was yielded.
package postgresql

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Type describes PostgreSQL as a source.
var Type = sqlread.SourceType(source.Type{
	Name:           "postgresql",
	Title:          "PostgreSQL",
	Fields:         fields(),
	ScopeFields:    []string{"database", "schema", "table", "Database", "Table"},
	ScopeNoun:      source.Noun("table"),
	IdentityFields: source.Identity("host", "port", "database"),
	ScopeOf:        scopeOf,
}, newSettings, newDatabase)

// fields are the configuration fields of the connector protocol, in its order.
func fields() []field.Spec {
	return []field.Spec{
		{
			Name: "host", Label: "Host", Order: 1,
			Tooltip: "Name or address of the server. A path that begins with / is the folder of its socket.",
		},
		form.Port(2, "5432"),
		{Name: "username", Label: "Username", Order: 3, Tooltip: "A role that can connect to the database and read the tables."},
		form.Password(4),
		sqlread.DatabaseField(5),
		{
			Name: "schema", Label: "Schema", Order: 6,
			Tooltip: "One schema, several separated by commas, or * for all that are not the system's own.",
		},
		sqlread.TablesField(7, "orders, sales.*, log_20*"),
		sqlread.SSLField(10, "Enable SSL verification", "Off: encrypted if the server supports it, but the server's identity is not verified. On: its certificate and host name are verified."),
		form.CA(11),
		sqlread.FetchSizeField(8, 50),
		form.RetryCount(9, "table"),
	}
}

// scopeOf derives the table from fields that every document has.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	return quote.ScopeOfFields(v.String("database"), fields)
}

// quote is the quote for identifiers.
const quote = sqlread.Double
