package postgresql

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestFieldNames(t *testing.T) {
	t.Parallel()
	names, renamed := fieldNames(sqlread.Head, "S", "T", []column{{Name: "A"}, {Name: "a"}, {Name: "a_2"}, {Name: "Á"}, {Name: "á"}, {Name: "A_2"}})
	want := []string{"s_t_a", "s_t_a_3", "s_t_a_2", "s_t_á", "s_t_á_2", "s_t_a_2_2"}
	if diff := cmp.Diff(want, names); diff != "" || len(renamed) != 3 {
		t.Errorf("renamed %v %s", renamed, diff)
	}
	names, renamed = fieldNames(sqlread.Seed87, "S", "T", []column{{Name: "x"}, {Name: "x.y"}, {Name: "z.y"}, {Name: "m..n"}, {Name: ".lead"}, {Name: "."}})
	want = []string{"s_t_x", "s_t_x_y", "s_t_z.y", "s_t_m__n", "s_t_.lead", "s_t__"}
	if diff := cmp.Diff(want, names); diff != "" || len(renamed) != 3 || renamed[0] != (sqlread.Renamed{Column: "x.y", Field: "s_t_x_y"}) {
		t.Errorf("renamed %v %s", renamed, diff)
	}
	if names, _ := fieldNames(sqlread.Head, "database.s", "T", []column{{Name: "a"}}); names[0] != "database_s_t_a" {
		t.Errorf("the field of the database would be an object: %s", names[0])
	}
}

// plain is a complete configuration.
func plain(change map[string]any) map[string]any {
	return sqltest.Changed(map[string]any{"host": "nosuch.invalid", "port": 5432, "username": "u", "password": "p", "database": "d", "schema": "s"}, change)
}

// TestFields checks the keys against the connector protocol's for this service type.
func TestFields(t *testing.T) {
	t.Parallel()
	sqltest.FieldsAre(t, &Type, plain, map[string]int{
		"host": 1, "port": 2, "username": 3, "password": 4, "database": 5, "schema": 6, "tables": 7, "fetch_size": 8, "retry_count": 9,
		"ssl_enabled": 10, "ssl_ca": 11,
	}, map[string][]any{
		"port": {0, 65536}, "fetch_size": {0, 100001}, "retry_count": {-1, 21}, "tables": {"", " ", " , ", []any{}}, "schema": {""},
	})
}

// TestOpenRefuses checks that invalid configurations are refused before anything connects.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	sqltest.OpenRefuses(t, &Type, plain, map[string]sqltest.Refusal{
		"a pattern":         {Set: map[string]any{"tables": "a["}, Says: []string{"not complete", "in double quotes"}},
		"a schema":          {Set: map[string]any{"schema": `"a`}, Says: []string{"closing quote", "in double quotes"}},
		"a certificate":     {Set: map[string]any{"ssl_enabled": true, "ssl_ca": "garbage"}, Says: []string{"ssl_ca: ", "as PEM"}},
		"TLS on a socket":   {Set: map[string]any{"host": "/run/postgresql", "ssl_enabled": true, "ssl_ca": "x"}, Says: []string{"is a socket", "ssl_enabled: false"}},
		"a table of a rule": {Env: source.Env{AdvancedRules: []any{map[string]any{"tables": []any{`"t`}, "query": "SELECT 1"}}}, Says: []string{"closing quote"}},
	})
}
