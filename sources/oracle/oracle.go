// Package oracle reads tables of an Oracle database: each table is a part, each row a document.
//
// It reads tables of the user's own schema, tables of other schemas and views that are named,
// all of them as of one system change number if that is allowed, or the results of queries
// instead. It does not decide which rows are new, changed or deleted.
//
// Its invariant: a part ends without error only if every row that its snapshot holds was yielded.
package oracle

import (
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// Type describes Oracle as a source.
var Type = sqlread.SourceType(source.Type{
	Name:           "oracle",
	Title:          "Oracle Database",
	Fields:         fields(),
	ScopeFields:    []string{"Database", "Table", "database", "schema", "table"},
	IdentityFields: source.Identity("host", "port", "sid", "service_name"),
	ScopeOf:        scopeOf,
}, newSettings, newDatabase)

// fields are the configuration fields of the connector protocol, in its order.
func fields() []field.Spec {
	fetch := sqlread.FetchSizeField(9, 50)
	fetch.Tooltip = "Rows in each response of the server; more are faster over a slow network, and take more memory."
	login := form.LoginForm{
		Host: "Name or address of the server, or of its listener.", Port: "1521, and 2484 or 1522 with TLS",
		User: "A user with CREATE SESSION and read access to the tables. The user's own tables are read unless others are named.", UserKey: "username",
	}
	return append(login.Fields(),
		field.Spec{
			Name: "connection_source", Label: "Connection Source", Order: 5, Display: field.Dropdown, Value: bySID,
			Options: []field.Option{{Label: "SID", Value: bySID}, {Label: "Service Name", Value: byService}},
			Tooltip: "How the listener identifies the database. A pluggable database has a service name.",
		},
		field.Spec{
			Name: "sid", Label: "SID", Order: 6, DependsOn: []field.Dependency{{Field: "connection_source", Value: bySID}},
			Tooltip: "The system identifier of the database's instance. It is part of every id.",
		},
		field.Spec{
			Name: "service_name", Label: "Service Name", Order: 7, DependsOn: []field.Dependency{{Field: "connection_source", Value: byService}},
			Tooltip: "The service of the database. It is part of every id.",
		},
		sqlread.TablesField(8, "ORDERS, SALES.ORDERS, LOG_20*"),
		fetch,
		form.RetryCount(10, "table"),
		field.Spec{
			Name: "oracle_protocol", Label: "Oracle connection protocol", Order: 11, Display: field.Dropdown, Optional: true, Value: plainTCP, Default: plainTCP, Advanced: true,
			Options: []field.Option{{Label: plainTCP, Value: plainTCP}, {Label: overTLS, Value: overTLS}},
			Tooltip: "TCPS is TCP with TLS: everything is encrypted, and the server's certificate and host name are checked.",
		},
		field.Spec{
			Name: "oracle_home", Label: "Path to Oracle Home", Order: 12, Optional: true, Value: "", Default: "", Advanced: true,
			Tooltip: "No effect: no Oracle client is needed. Accepted for existing connectors.",
		},
		field.Spec{
			Name: "wallet_configuration_path", Label: "Path to SSL Wallet configuration files", Order: 13, Optional: true, Default: "", Advanced: true, Path: true,
			Tooltip: "A folder with cwallet.sso or ewallet.pem: the trusted authorities, and optionally a client certificate. Only with TCPS.",
		},
	)
}

// The choices of the configuration.
const (
	bySID     = "sid"
	byService = "service_name"
	plainTCP  = "TCP"
	overTLS   = "TCPS"
)

// scopeOf derives the table from fields that every document has, whatever its profile. A
// document of another database than the configured one, which a changed
// configuration leaves behind, has a scope without a part: its table counts as vanished, and
// nothing in it is deleted without confirmation.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	tables, database := sqlread.Texts(fields["Table"]), fields["Database"]
	if tables == nil {
		names, owners := sqlread.Texts(fields["table"]), sqlread.Texts(fields["schema"])
		if names == nil || len(names) != len(owners) {
			return "", false
		}
		own := ownerOf(v.String("username"))
		for i, name := range names {
			tables = append(tables, shownName(own, owners[i], name))
		}
		database = fields["database"]
	}
	scope := scopeName(tables)
	if of, ok := database.(string); ok && of != databaseName(v) {
		scope = quote.Dotted(of) + ":" + scope
	}
	return scope, true
}

// quote is the quote for identifiers. No name in Oracle contains it.
const quote = sqlread.Double

// shownName is a table's name in scopes and messages, and in the profiles without a field for
// its schema: with the schema unless that is the user's own.
func shownName(own, owner, table string) string {
	if owner == own {
		return quote.Dotted(table)
	}
	return quote.Dotted(owner, table)
}

// scopeName is the unit of deletes: the table, see [shownName]. The result of a query may
// belong to several, which are joined by + in the order of their names.
func scopeName(shown []string) string {
	return strings.Join(slices.Sorted(slices.Values(shown)), "+")
}
