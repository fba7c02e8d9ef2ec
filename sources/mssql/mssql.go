// Package mssql reads tables of a Microsoft SQL Server database, or one of Azure SQL: each table is a part,
// each row a document.
//
// It reads tables, and views that are named, or the results of queries in their place. Where the database
// allows snapshot isolation, it reads from snapshots that are taken one right after the other, so that the
// documents of a run are the state of one moment; where not, each table is read as it is while it is read.
// Which rows are new, changed or gone is not its business.
//
// Its invariant: a part ends without error only if every row that its statement found was yielded.
package mssql

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Type describes Microsoft SQL Server as a source.
var Type = sqlread.SourceType(source.Type{
	Name:           "mssql",
	Title:          "Microsoft SQL Server",
	Fields:         fields(),
	ScopeFields:    []string{"database", "schema", "table", "Database", "Table"},
	IdentityFields: source.Identity("host", "port", "database"),
	ScopeOf:        scopeOf,
}, newSettings, newDatabase)

// fields are the keys of the connector protocol, in its order.
func fields() []field.Spec {
	return []field.Spec{
		{
			Name: "host", Label: "Host", Order: 1,
			Tooltip: `Name or address of the server. With HOST\INSTANCE the server's browser service is asked for the port of a named instance.`,
		},
		form.Port(2, "1433"),
		{Name: "username", Label: "Username", Order: 3, Tooltip: `A login of SQL Server, or DOMAIN\USER for one of Windows (NTLM), whose user may select from the tables.`},
		form.Password(4),
		sqlread.DatabaseField(5),
		sqlread.TablesField(6, "orders, sales.*, log_20*"),
		sqlread.SSLField(10, "Enable SSL verification", "Off: the password is encrypted, and all else if the server demands it, but anybody could be the server. On: everything is, and its certificate is checked."),
		form.CA(11),
		{
			Name: "schema", Label: "Schema", Order: 9,
			Tooltip: "One schema, several separated by commas, or * for all.",
		},
		sqlread.FetchSizeField(7, 50),
		form.RetryCount(8, "table"),
		{
			Name: "validate_host", Label: "Validate host", Order: 12,
			Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "On: the server's certificate must be of the host that was asked for, too. It counts where SSL verification is on.",
		},
	}
}

// scopeOf tells the table from what every document carries.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	return quote.ScopeOfFields(v.String("database"), fields)
}

// quote is what stands around identifiers.
const quote = sqlread.Bracket
