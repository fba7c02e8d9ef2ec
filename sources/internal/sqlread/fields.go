package sqlread

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// The fields of the connector protocol that are the same for every database. order is the position of a field in
// its connector's form.

// TablesField is the field tables; examples are names and patterns.
func TablesField(order int, examples string) field.Spec {
	return field.Spec{
		Name: "tables", Label: "Comma-separated list of tables", Order: order,
		Type: field.List, Display: field.TextArea, Value: "*",
		Tooltip: "* for all, or names and patterns such as " + examples + "; a leading - excludes tables. No effect with advanced rules.",
	}
}

// FetchSizeField is the field fetch_size of sources that stream.
func FetchSizeField(order, rows int) field.Spec {
	return field.Spec{
		Name: "fetch_size", Label: "Rows fetched per request", Order: order, Optional: true, Default: rows, Advanced: true,
		Type: field.Int, Display: field.Numeric, Validations: form.Between(1, 100000),
		Tooltip: "No effect: rows are streamed. Accepted for existing connectors.",
	}
}

// DatabaseField is the field database of a server that has several.
func DatabaseField(order int) field.Spec {
	return field.Spec{Name: "database", Label: "Database", Order: order, Tooltip: "One database. Use another connector for another database."}
}

// SSLField is the field ssl_enabled, off by default.
func SSLField(order int, label, tooltip string) field.Spec {
	return field.Spec{Name: "ssl_enabled", Label: label, Order: order, Type: field.Bool, Display: field.Toggle, Value: false, Tooltip: tooltip}
}

// SourceType adds the methods of all SQL sources to a type. They read the configuration when they are opened, and
// connect later, on demand.
func SourceType[C any, S source.Source](t source.Type, read func(field.Values) (C, error), database func(C, source.Env) (S, error)) source.Type {
	t.Profiles, t.Encodings, t.Describes, t.AdvancedRules = []string{"seed87", "native"}, []string{"compat"}, true, true
	t.Open = func(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
		c, err := read(v)
		if err != nil {
			return nil, err
		}
		d, err := database(c, env)
		if err != nil {
			return nil, err
		}
		return d, nil
	}
	return t
}
