// Package mssql reads tables of a Microsoft SQL Server or Azure SQL database: each table is a part,
// each row a document.
//
// It reads tables, and views that are named, or the results of queries instead. If the database
// allows snapshot isolation, it reads from snapshots that are taken in immediate succession, so that the
// documents of a run are the state of one moment; otherwise each table is read while it changes.
// It does not decide which rows are new, changed or deleted.
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
var Type = sqlread.SourceType(quote.WithSchemas(source.Type{
	Name: "mssql", Title: "Microsoft SQL Server", Fields: fields(), IdentityFields: source.Identity("host", "port", "database"),
}), newSettings, newDatabase)

// fields are the configuration fields of the connector protocol, in its order.
func fields() []field.Spec {
	login := form.LoginForm{
		Host: `Name or address of the server. With HOST\INSTANCE the server's browser service is queried for the port of a named instance.`, Port: "1433",
		User: `A SQL Server login, or DOMAIN\USER for a Windows login (NTLM). Its user needs SELECT on the tables.`, UserKey: "username",
	}
	return append(login.Fields(),
		form.Database(5),
		sqlread.TablesField(6, "orders, sales.*, log_20*"),
		sqlread.SSLField(10, "Enable SSL verification", "Off: the password is encrypted, and everything else if the server requires it, but the server's identity is not verified. On: everything is encrypted, and the server's certificate is verified."),
		form.CA(11),
		sqlread.SchemaField(9, "all"),
		sqlread.FetchSizeField(7, 50),
		form.RetryCount(8, "table"),
		field.Spec{
			Name: "validate_host", Label: "Validate host", Order: 12,
			Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "On: the server's certificate must also match the host. Only with SSL verification.",
		},
	)
}

// quote is the quote for identifiers.
const quote = sqlread.Bracket
