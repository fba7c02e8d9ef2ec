package postgresql

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
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

// TestFields checks the keys against the connector protocol's for this service type.
func TestFields(t *testing.T) {
	t.Parallel()
	if err := field.Check(Type.Fields); err != nil {
		t.Error(err)
	}
	want := map[string]int{
		"host": 1, "port": 2, "username": 3, "password": 4, "database": 5, "schema": 6, "tables": 7,
		"fetch_size": 8, "retry_count": 9, "ssl_enabled": 10, "ssl_ca": 11,
	}
	got := map[string]int{}
	for _, f := range Type.Fields {
		got[f.Name] = f.Order
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	good := map[string]any{"host": "h", "port": "5432", "username": "u", "password": "p", "database": "d", "schema": "s"}
	for key, values := range map[string][]any{
		"port": {0, 65536}, "fetch_size": {0, 100001}, "retry_count": {-1, 21}, "tables": {"", " , "}, "schema": {""},
	} {
		for _, value := range values {
			raw := maps.Clone(good)
			raw[key] = value
			if _, err := field.Parse(Type.Fields, raw); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s %v: got %v", key, value, err)
			}
		}
	}
}

// TestABlankTableListIsRefused checks that a list that names no table is refused before anything connects.
func TestABlankTableListIsRefused(t *testing.T) {
	t.Parallel()
	for _, tables := range []any{"", " ", " , ", []any{}, []any{" ", ""}} {
		values, err := field.Parse(Type.Fields, map[string]any{
			"host": "nosuch.invalid", "port": 1, "username": "u", "password": "p", "database": "d", "schema": "s", "tables": tables,
		})
		if err != nil {
			continue // refused even earlier
		}
		_, err = Type.Open(t.Context(), values, source.Env{Log: discard()})
		sqltest.Refuse(t, err, source.ErrConfig, "tables names no table")
	}
}
