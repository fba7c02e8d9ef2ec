package sqlread

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
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

// SchemaField is the field schema; all says what * selects.
func SchemaField(order int, all string) field.Spec {
	return field.Spec{Name: "schema", Label: "Schema", Order: order, Tooltip: "One schema, several separated by commas, or * for " + all + "."}
}

// SSLField is the field ssl_enabled, off by default.
func SSLField(order int, label, tooltip string) field.Spec {
	return field.Spec{Name: "ssl_enabled", Label: label, Order: order, Type: field.Bool, Display: field.Toggle, Value: false, Tooltip: tooltip}
}

// ReadTables reads the field tables.
func (q Quote) ReadTables(v field.Values) (TableList, error) {
	l, err := q.ParseTables(v.List("tables"))
	if err != nil {
		return l, form.ConfigError(err, fmt.Sprintf("write a name that has a comma, a dot or blanks in %s, such as tables: [%q]", q.plural(), q.Ident("odd, name")))
	}
	return l, nil
}

// ReadSchemas reads the field schema.
func (q Quote) ReadSchemas(v field.Values) (SchemaList, error) {
	l, err := q.ParseSchemas(v.String("schema"))
	if err != nil {
		return l, form.ConfigError(err, fmt.Sprintf("write a name that has a comma in %s, such as schema: %q", q.plural(), q.Ident("odd, name")))
	}
	return l, nil
}

// ReadTLS reads the fields ssl_enabled and ssl_ca of a server that is reached by TCP or by a socket, which has no TLS.
// It is nil if TLS is off.
func ReadTLS(l form.Login, v field.Values) (*tls.Config, error) {
	if !v.Bool("ssl_enabled") {
		return nil, nil
	}
	if l.OnSocket() {
		return nil, form.ConfigError(fmt.Errorf("host %q is a socket of this machine, which has no TLS", l.Host), "set ssl_enabled: false")
	}
	return link.VerifiedTLS(l.Host, v.String("ssl_ca"))
}

// SourceType adds the methods of all SQL sources to a type. They read the configuration when they are opened, and
// connect later, on demand.
func SourceType[C any, S source.Source](t source.Type, read func(field.Values) (C, error), database func(C, source.Env) (S, error)) source.Type {
	t.Profiles, t.Encodings, t.Describes, t.AdvancedRules = []string{"seed87", "native"}, []string{"compat"}, true, true
	t.ScopeNoun = source.Noun("table")
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
