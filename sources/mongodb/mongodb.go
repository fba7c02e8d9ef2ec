// Package mongodb reads collections of a MongoDB database: each collection is a part, or several if it is
// large, each document a document.
//
// BSON is converted to documents without maps in between, so the order of fields is kept. It does not decide
// which documents are new, changed or deleted.
//
// Its invariant: a part ends without error only if every document that its collection held from the beginning to the end of the read was
// yielded, and the collection was not replaced by another.
package mongodb

import (
	"context"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// The fields for the origin of a document, if more than one collection is read.
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
	ScopeNoun:      source.Noun("collection"),
	IdentityFields: identity,
	AdvancedRules:  true,
	Open:           open,
}

// fields are the configuration fields of the connector protocol, in its order, followed by our own.
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
			Tooltip: "A user who can read the collections. Overrides the user in the address.",
		},
		password,
		form.Database(4),
		{
			Name: "collection", Label: "Collection", Order: 5,
			Tooltip: "One collection, * for all, or comma-separated names and patterns such as orders, log_20*; a leading - excludes collections.",
		},
		{
			Name: "direct_connection", Label: "Direct connection", Order: 6, Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "Connect only to the server at the address, not to the other members of its replica set.",
		},
		{
			Name: "ssl_enabled", Label: "SSL/TLS Connection", Order: 7, Type: field.Bool, Display: field.Toggle, Value: false,
			Tooltip: "Encrypt the connection and verify the server's certificate and host name. Required for mongodb+srv.",
		},
		{
			Name: "ssl_ca", Label: "Certificate Authority (.pem)", Order: 8, Optional: true, DependsOn: withTLS,
			Tooltip: "Trusted authorities for the server's certificate, as PEM, in addition to the system's.",
		},
		{
			Name: "tls_insecure", Label: "Skip certificate verification", Order: 9, Type: field.Bool, Display: field.Toggle, Value: false,
			DependsOn: withTLS, Advanced: true,
			Tooltip: "Accept any certificate. The server's identity is then not verified.",
		},
		{
			Name: "datetime_conversion", Label: "Out-of-range date handling", Order: 10, Optional: true, Default: datesDefault, Advanced: true,
			Display: field.Dropdown, Options: dateOptions(),
			Tooltip: "How to write dates before year 1 and after year 9999, which a date field cannot hold.",
		},
		{
			Name: "fields", Label: "Fields to read", Order: 11, Optional: true, Type: field.List, Advanced: true,
			Tooltip: "Empty: all. Names such as name, address.city read only those; a leading - excludes them.",
		},
		{
			Name: "change_streams", Label: "Change streams", Order: 12, Type: field.Bool, Display: field.Toggle, Value: false, Advanced: true,
			Tooltip: "Incremental syncs read only changed documents, from the change stream of a replica set or a sharded cluster.",
		},
		form.RetryCount(13, "collection"),
	}
}

// open reads the configuration and connects later, on demand.
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

// identity names the source. The address is not part of it: it may contain a password, and a database has many addresses.
// If one collection is read, its documents do not name it.
func identity(v field.Values) []string {
	if n, err := parseNames(v.String("collection")); err == nil && n.single() {
		return []string{"database", "collection"}
	}
	return []string{"database"}
}

// scopeOf returns the collection. If one collection is read, documents do not contain its name. A document
// of another database than the configured one, which a changed configuration leaves behind,
// has a scope without a part.
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
