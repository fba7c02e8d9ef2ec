// Package form is what the configuration forms of connectors have in common: the fields that mean the same for every
// server reached over a network, and errors about their values.
//
// It knows no kind of source. Its invariant: a field of one name means the same in every connector.
package form

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// The keys of the connector protocol that mean the same for every server. order is the place of one in
// the form of its connector.

// Port is the key port; usual is where such a server usually listens.
func Port(order int, usual string) field.Spec {
	return field.Spec{
		Name: "port", Label: "Port", Order: order, Type: field.Int, Display: field.Numeric, Validations: Between(1, 65535),
		Tooltip: "The server's port, mostly " + usual + ".",
	}
}

// Password is the key password.
func Password(order int) field.Spec {
	return field.Spec{
		Name: "password", Label: "Password", Order: order, Sensitive: true,
		Tooltip: "Used literally; any characters are allowed.",
	}
}

// Database is the key database of a server that has several.
func Database(order int) field.Spec {
	return field.Spec{Name: "database", Label: "Database", Order: order, Tooltip: "One database. Use another connector for another database."}
}

// CA is the key ssl_ca, which belongs to ssl_enabled.
func CA(order int) field.Spec {
	return field.Spec{
		Name: "ssl_ca", Label: "SSL certificate", Order: order,
		DependsOn: []field.Dependency{{Field: "ssl_enabled", Value: true}},
		Tooltip:   "The authorities to trust for the server's certificate, as PEM, in addition to the system's.",
	}
}

// RetryCount is the key retry_count. what is read piece by piece, such as a table.
func RetryCount(order int, what string) field.Spec {
	return field.Spec{
		Name: "retry_count", Label: "Retries per request", Order: order, Optional: true, Default: 3, Advanced: true,
		Type: field.Int, Display: field.Numeric, Validations: Between(0, 20),
		Tooltip: "Attempts to connect in total when the server does not respond, and how many lost connections in a row a " + what + " tolerates.",
	}
}

// Between asks for a number from low to high, both included.
func Between(low, high int) []field.Validation {
	return []field.Validation{
		{Type: field.GreaterThan, Constraint: low - 1},
		{Type: field.LessThan, Constraint: high + 1},
	}
}

// ConfigError is an error of the configuration, with what to do about it.
func ConfigError(err error, hint string) error {
	return &source.Error{Kind: source.ErrConfig, Err: err, Hint: hint}
}
