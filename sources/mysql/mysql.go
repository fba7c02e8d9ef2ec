// Package mysql reads tables of a MySQL or MariaDB database: each table is a part, or several if it is
// large, each row a document.
//
// It reads base tables, and views that are named, from snapshots that are taken at the same moment,
// or the results of queries instead. So the documents of a run are the state at one instant.
// It does not decide which rows are new, changed or deleted.
//
// Its invariant: a part ends without error only if every row that its snapshot holds was yielded.
package mysql

import (
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Type describes MySQL, and MariaDB with it, as a source.
var Type = sqlread.SourceType(source.Type{
	Name:           "mysql",
	Title:          "MySQL",
	Fields:         fields(),
	ScopeFields:    []string{"Database", "Table", "database", "table"},
	IdentityFields: source.Identity("host", "port", "database"),
	ScopeOf:        scopeOf,
}, newSettings, newDatabase)

// fields are the configuration fields of the connector protocol, in its order.
func fields() []field.Spec {
	login := form.LoginForm{
		Host: "Name or address of the server. A path that begins with / is its socket.", Port: "3306",
		User: "A user who can select from the tables.", UserKey: "user",
	}
	return append(login.Fields(),
		form.Database(5),
		sqlread.TablesField(6, "orders, log_20*"),
		sqlread.SSLField(7, "Enable SSL", "Off: only the password is encrypted. On: everything is, and the server's certificate and host name are verified."),
		form.CA(8),
		sqlread.FetchSizeField(9, 5000),
		form.RetryCount(10, "table"),
	)
}

// scopeOf derives the table from fields that every document has, whatever its profile. A
// document of another database than the configured one, which a changed
// configuration leaves behind, has a scope without a part: its table counts as vanished, and
// nothing in it is deleted without confirmation. Documents of the profile head do not name their database.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	for _, names := range [][2]string{{"Database", "Table"}, {"database", "table"}} {
		tables := sqlread.Texts(fields[names[1]])
		if tables == nil {
			continue
		}
		scope := scopeName(tables)
		if database, ok := fields[names[0]].(string); ok && database != v.String("database") {
			scope = quote.Dotted(database) + "." + scope
		}
		return scope, true
	}
	return "", false
}

// quote is the quote for identifiers, also with the mode ANSI_QUOTES.
const quote = sqlread.Backtick

// scopeName is the unit of deletes: the table. The result of a query may belong to several,
// which are joined by + in the order of their names.
func scopeName(tables []string) string {
	return quote.Joined("+", slices.Sorted(slices.Values(tables)))
}
