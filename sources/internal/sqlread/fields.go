package sqlread

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
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

// DatabaseField is the key database of a server that has several.
func DatabaseField(order int) field.Spec {
	return field.Spec{Name: "database", Label: "Database", Order: order, Tooltip: "One database. Another one is another connector."}
}

// SSLField is the key ssl_enabled, off by default.
func SSLField(order int, label, tooltip string) field.Spec {
	return field.Spec{Name: "ssl_enabled", Label: label, Order: order, Type: field.Bool, Display: field.Toggle, Value: false, Tooltip: tooltip}
}

// SourceType adds to a type what all SQL sources have. They read the configuration when they are opened, and connect
// later, when something is asked for.
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
