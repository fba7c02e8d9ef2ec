// Package mongodb reads collections of a MongoDB database: each collection is a part, or several if it is
// large, each document a document.
//
// BSON is turned into documents without maps in between, so the order of fields is kept. Which documents
// are new, changed or gone is not its business.
//
// Its invariant: a part ends without error only if every document that its collection held all along was
// yielded, and the collection is still the one that it began with.
package mongodb

import (
	"context"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// The fields that tell where a document comes from, where more than one collection is read.
const (
	databaseField   = "_mongo_database"
	collectionField = "_mongo_collection"
)

// Type describes MongoDB as a source.
var Type = source.Type{
	Name:           "mongodb",
	Title:          "MongoDB",
	Fields:         fields(),
	ScopeFields:    []string{databaseField, collectionField},
	ScopeOf:        scopeOf,
	Encodings:      []string{"compat"},
	Describes:      true,
	IdentityFields: identity,
	AdvancedRules:  true,
	Open:           open,
}

// fields are the keys of the connector protocol, in its order, and then ours.
func fields() []field.Spec {
	withTLS := []field.Dependency{{Field: "ssl_enabled", Value: true}}
	password := form.Password(3)
	password.Optional = true
	return []field.Spec{
		{
			Name: "host", Label: "Server hostname", Order: 1,
			Tooltip: "The address: mongodb://host:27017, mongodb+srv://host, or host:27017 alone.",
		},
		{
			Name: "user", Label: "Username", Order: 2, Optional: true,
			Tooltip: "A user who may read the collections. It takes the place of one in the address.",
		},
		password,
		{Name: "database", Label: "Database", Order: 4, Tooltip: "One database. Another one is another connector."},
		{
			Name: "collection", Label: "Collection", Order: 5,
			Tooltip: "One collection, * for all, or names and patterns between commas such as orders, log_20*; a leading - leaves collections out.",
		},
		{
			Name: "direct_connection", Label: "Direct connection", Order: 6, Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "Talk to the server at the address alone, not to the other members of its replica set.",
		},
		{
			Name: "ssl_enabled", Label: "SSL/TLS Connection", Order: 7, Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "Encrypt the connection and check the server's certificate and host name. Needed for mongodb+srv.",
		},
		{
			Name: "ssl_ca", Label: "Certificate Authority (.pem)", Order: 8, Optional: true, DependsOn: withTLS,
			Tooltip: "The authorities that may have signed the server's certificate, as PEM; trusted beside the system's.",
		},
		{
			Name: "tls_insecure", Label: "Skip certificate verification", Order: 9, Type: field.Bool, Display: field.Toggle, Value: false,
			DependsOn: withTLS, Advanced: true,
			Tooltip: "Accept any certificate. Then the server may be anyone.",
		},
		{
			Name: "datetime_conversion", Label: "Out-of-range date handling", Order: 10, Optional: true, Default: datesDefault, Advanced: true,
			Display: field.Dropdown, Options: dateOptions(),
			Tooltip: "What becomes of dates before year 1 and after year 9999, which a date field cannot hold.",
		},
		{
			Name: "fields", Label: "Fields to read", Order: 11, Optional: true, Type: field.List, Advanced: true,
			Tooltip: "Empty for all. Names such as name, address.city read only those; with a leading - everything but those is read.",
		},
		{
			Name: "change_streams", Label: "Change streams", Order: 12, Type: field.Bool, Display: field.Toggle, Value: false, Advanced: true,
			Tooltip: "An incremental sync reads only what has changed, as the change stream of a replica set or a sharded cluster says.",
		},
		form.RetryCount(13, "collection"),
	}
}

// open reads the configuration and connects later, when something is asked for.
func open(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
	s, err := newSettings(v, env)
	if err != nil {
		return nil, err
	}
	if s.streams {
		return &streaming{newDatabase(s, env)}, nil
	}
	return newDatabase(s, env), nil
}

// identity names what is mirrored. The address is not in it: it may hold a password, and the same database has many.
// Where one collection is read, its documents do not say which.
func identity(v field.Values) []string {
	if n, err := parseNames(v.String("collection")); err == nil && n.single() {
		return []string{"database", "collection"}
	}
	return []string{"database"}
}

// scopeOf tells the collection. Where one collection is read, documents carry no name of it. One that says
// that it is of another database than the configured one, which a changed configuration leaves behind, is
// of a scope that no part has.
func scopeOf(v field.Values, fields map[string]any) (string, bool) {
	collection, labeled := fields[collectionField]
	database, _ := fields[databaseField].(string)
	if !labeled {
		if _, odd := fields[databaseField]; odd {
			return "", false
		}
		names, err := parseNames(v.String("collection"))
		if err != nil || !names.single() {
			return "", false
		}
		return names[0].text, true
	}
	name, ok := collection.(string)
	if !ok || database == "" {
		return "", false
	}
	name = scopeName(name)
	if database != v.String("database") {
		name = scopeName(database) + "/" + name
	}
	return name, true
}

// scopeName is the name of a collection as a scope, which is valid UTF-8.
func scopeName(collection string) string { return strings.ToValidUTF8(collection, "\uFFFD") }
