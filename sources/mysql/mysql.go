// Package mysql reads tables of a MySQL or MariaDB database: each table is a part, or several if it is
// large, each row a document.
//
// It reads base tables, and views that are named, from snapshots that are taken at the same moment,
// or the results of queries in their place, so that the documents of a run are the state of one instant.
// Which rows are new, changed or gone is not its business.
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

// fields are the keys of the connector protocol, in its order.
func fields() []field.Spec {
	return []field.Spec{
		{
			Name: "host", Label: "Host", Order: 1,
			Tooltip: "Name or address of the server. A path that begins with / is its socket.",
		},
		form.Port(2, "3306"),
		{Name: "user", Label: "Username", Order: 3, Tooltip: "A user who may select from the tables."},
		form.Password(4),
		sqlread.DatabaseField(5),
		sqlread.TablesField(6, "orders, log_20*"),
		sqlread.SSLField(7, "Enable SSL", "Off: nothing is encrypted but the password. On: everything, and the server's certificate and host name are checked."),
		form.CA(8),
		sqlread.FetchSizeField(9, 5000),
		form.RetryCount(10, "table"),
	}
}

// scopeOf tells the table from what every document carries, whatever profile it was made with. A
// document that says that it is of another database than the configured one, which a changed
// configuration leaves behind, is of a scope that no part has: its table counts as vanished, and
// nothing of it is deleted unasked. Documents of the profile head do not say it.
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

// quote is what stands around identifiers, also where the mode ANSI_QUOTES is on.
const quote = sqlread.Backtick

// scopeName is what deletes are decided by: the table. The result of a query may belong to several,
// which are joined by + in the order of their names.
func scopeName(tables []string) string {
	return quote.Joined("+", slices.Sorted(slices.Values(tables)))
}
