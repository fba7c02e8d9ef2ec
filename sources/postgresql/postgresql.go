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
var Type = sqlread.SourceType(quote.WithSchemas(source.Type{
	Name: "postgresql", Title: "PostgreSQL", Fields: fields(), IdentityFields: source.Identity("host", "port", "database"),
}), newSettings, newDatabase)

// fields are the configuration fields of the connector protocol, in its order.
func fields() []field.Spec {
	login := form.LoginForm{
		Host: "Name or address of the server. A path that begins with / is the folder of its socket.", Port: "5432",
		User: "A role that can connect to the database and read the tables.", UserKey: "username",
	}
	return append(login.Fields(),
		form.Database(5),
		sqlread.SchemaField(6, "all that are not the system's own"),
		sqlread.TablesField(7, "orders, sales.*, log_20*"),
		sqlread.SSLField(10, "Enable SSL verification", "Off: encrypted if the server supports it, but the server's identity is not verified. On: its certificate and host name are verified."),
		form.CA(11),
		sqlread.FetchSizeField(8, 50),
		form.RetryCount(9, "table"),
	)
}

// quote is the quote for identifiers.
const quote = sqlread.Double
