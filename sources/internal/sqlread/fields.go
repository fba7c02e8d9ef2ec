package sqlread

import "github.com/elastic-ingest/elastic-ingest/engine/field"

// The keys of the connector protocol that mean the same for every database. order is the place of one in
// the form of its connector.

// PortField is the key port; usual is where such a server mostly listens.
func PortField(order int, usual string) field.Spec {
	return field.Spec{
		Name: "port", Label: "Port", Order: order, Type: field.Int, Display: field.Numeric, Validations: between(1, 65535),
		Tooltip: "The server's port, mostly " + usual + ".",
	}
}

// PasswordField is the key password.
func PasswordField(order int) field.Spec {
	return field.Spec{
		Name: "password", Label: "Password", Order: order, Sensitive: true,
		Tooltip: "It is taken as it is, whatever characters are in it.",
	}
}

// TablesField is the key tables; examples are names and patterns.
func TablesField(order int, examples string) field.Spec {
	return field.Spec{
		Name: "tables", Label: "Comma-separated list of tables", Order: order,
		Type: field.List, Display: field.TextArea, Value: "*",
		Tooltip: "* for all, or names and patterns such as " + examples + "; a leading - leaves tables out. Without effect while there are advanced rules.",
	}
}

// CAField is the key ssl_ca, which belongs to ssl_enabled.
func CAField(order int) field.Spec {
	return field.Spec{
		Name: "ssl_ca", Label: "SSL certificate", Order: order,
		DependsOn: []field.Dependency{{Field: "ssl_enabled", Value: true}},
		Tooltip:   "The authorities that may have signed the server's certificate, as PEM; trusted beside the system's.",
	}
}

// FetchSizeField is the key fetch_size of sources that stream.
func FetchSizeField(order, rows int) field.Spec {
	return field.Spec{
		Name: "fetch_size", Label: "Rows fetched per request", Order: order, Optional: true, Default: rows, Advanced: true,
		Type: field.Int, Display: field.Numeric, Validations: between(1, 100000),
		Tooltip: "Rows are streamed as fast as they are taken, so this changes nothing; it is here for connectors that have it.",
	}
}

// RetryCountField is the key retry_count.
func RetryCountField(order int) field.Spec {
	return field.Spec{
		Name: "retry_count", Label: "Retries per request", Order: order, Optional: true, Default: 3, Advanced: true,
		Type: field.Int, Display: field.Numeric, Validations: between(0, 20),
		Tooltip: "How often a connection is tried in all when the server does not answer, and how many a table may lose in a row.",
	}
}

func between(low, high int) []field.Validation {
	return []field.Validation{
		{Type: field.GreaterThan, Constraint: low - 1},
		{Type: field.LessThan, Constraint: high + 1},
	}
}
