package sqlread

import (
	"maps"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// valuesOf reads a configuration of a database with schemas.
func valuesOf(t *testing.T, set map[string]any) field.Values {
	t.Helper()
	fields := append(form.LoginForm{UserKey: "user"}.Fields(), form.Database(5), SchemaField(6, "all"), TablesField(7, "a"), SSLField(8, "SSL", ""), form.CA(9), form.RetryCount(10, "table"))
	plain := map[string]any{"host": "h", "port": 1, "user": "u", "password": "p", "database": "d", "schema": "s", "tables": "t"}
	maps.Copy(plain, set)
	v, err := field.Parse(fields, plain)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestAnInvalidNameIsRefusedWithAnExample checks that the hint shows how to quote a name in this database, as a line of
// the configuration that can be read.
func TestAnInvalidNameIsRefusedWithAnExample(t *testing.T) {
	t.Parallel()
	v := valuesOf(t, map[string]any{"tables": "a[", "schema": `"a`})
	for quote, example := range map[Quote]string{Double: `double quotes, such as tables: ["\"odd, name\""]`, Backtick: "backticks, such as tables: [\"`odd, name`\"]", Bracket: `brackets, such as tables: ["[odd, name]"]`} {
		if _, err := quote.ReadTables(v); err == nil || !strings.Contains(source.Hint(err), example) {
			t.Errorf("%c: got %v, hint %q", quote, err, source.Hint(err))
		}
	}
	if _, err := Double.ReadSchemas(v); err == nil || !strings.Contains(source.Hint(err), `in double quotes, such as schema: "\"odd, name\""`) {
		t.Errorf("got %v, hint %q", err, source.Hint(err))
	}
	tables, err := Double.ReadTables(valuesOf(t, map[string]any{"tables": []any{`"odd, name"`}}))
	if err != nil || tables.Entries[0].Table.Text != "odd, name" {
		t.Errorf("got %v, %v", tables.Entries, err)
	}
}

// TestReadTLS checks that the certificate is verified with the configured host, and that a socket has no TLS.
func TestReadTLS(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set  map[string]any
		host string // that is verified
		says string
	}{
		"off":                  {set: map[string]any{"ssl_enabled": false}},
		"a socket without TLS": {set: map[string]any{"host": "/run/s", "ssl_enabled": false}},
		"a socket":             {set: map[string]any{"host": "/run/s", "ssl_enabled": true, "ssl_ca": "x"}, says: "is a socket"},
		"an address":           {set: map[string]any{"host": "[::1]", "ssl_enabled": true, "ssl_ca": sqltest.OtherCA(t)}, host: "::1"},
		"no certificate":       {set: map[string]any{"ssl_enabled": true, "ssl_ca": "x"}, says: "ssl_ca: "},
	} {
		v := valuesOf(t, tt.set)
		c, err := ReadTLS(form.ReadLogin(v, "user"), v)
		switch {
		case tt.says != "":
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: got %v", name, err)
			}
		case err != nil || (c != nil) != (tt.host != "") || c != nil && (c.ServerName != tt.host || c.InsecureSkipVerify):
			t.Errorf("%s: got %+v, %v", name, c, err)
		}
	}
}

// TestScopesOfADatabaseWithSchemas checks that a document determines its table, and another database its own scope.
func TestScopesOfADatabaseWithSchemas(t *testing.T) {
	t.Parallel()
	typ := Double.WithSchemas(source.Type{})
	for database, want := range map[string]string{"d": "s.t", "other": "other.s.t"} {
		fields := map[string]any{}
		for i, name := range typ.ScopeFields[:schematic] {
			fields[name] = []string{database, "s", "t"}[i]
		}
		if got, ok := typ.ScopeOf(valuesOf(t, nil), fields); got != want || !ok {
			t.Errorf("%s: got %q, %t", database, got, ok)
		}
	}
}
