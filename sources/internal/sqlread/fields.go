package sqlread

import (
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// The keys of the connector protocol that mean the same for every database. order is the place of one in
// the form of its connector.

// TablesField is the key tables; examples are names and patterns.
func TablesField(order int, examples string) field.Spec {
	return field.Spec{
		Name: "tables", Label: "Comma-separated list of tables", Order: order,
		Type: field.List, Display: field.TextArea, Value: "*",
		Tooltip: "* for all, or names and patterns such as " + examples + "; a leading - leaves tables out. Without effect while there are advanced rules.",
	}
}

// FetchSizeField is the key fetch_size of sources that stream.
func FetchSizeField(order, rows int) field.Spec {
	return field.Spec{
		Name: "fetch_size", Label: "Rows fetched per request", Order: order, Optional: true, Default: rows, Advanced: true,
		Type: field.Int, Display: field.Numeric, Validations: form.Between(1, 100000),
		Tooltip: "Rows are streamed as fast as they are taken, so this changes nothing; it is here for connectors that have it.",
	}
}
