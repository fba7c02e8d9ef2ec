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
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestParseSchemas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		want  schemaList
		fails string
	}{
		{"public", schemaList{"public"}, ""},
		{" a , b,a,", schemaList{"a", "b"}, ""},
		{"*", nil, ""},
		{"a,*", nil, ""},
		{`"a,b", c`, schemaList{"a,b", "c"}, ""},
		{`"a""b"`, schemaList{`a"b`}, ""},
		{`We"ird`, schemaList{`We"ird`}, ""},
		{"", nil, "empty"},
		{" ", nil, "empty"},
		{",", nil, "missing"},
		{`"a`, nil, "closing quote"},
		{`"a"b`, nil, "follows a name"},
	} {
		got, err := parseSchemas(tt.in)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != (tt.fails != "") {
			t.Errorf("%q: %v %s", tt.in, err, diff)
		}
		if err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%q: got %v, want %s", tt.in, err, tt.fails)
		}
	}
}

func TestTableList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		list          string // members between blanks
		schema, table string
		want          bool
	}{
		{"*", "s", "t", true},
		{"t", "s", "t", true},
		{"t", "s", "T", false},
		{"s.t", "s", "t", true},
		{"x.t", "s", "t", false},
		{"s.*", "s", "t", true},
		{"*.t", "s", "t", true},
		{"*.*", "s", "t", true},
		{"t?", "s", "t1", true},
		{"t?", "s", "t", false},
		{"t[0-4]", "s", "t5", false},
		{`t\*`, "s", "t*", true},
		{`t\*`, "s", "tx", false},
		{`"t*"`, "s", "tx", false},
		{`"t*"`, "s", "t*", true},
		{`"s"."a.b"`, "s", "a.b", true},
		{"a.b", "s", "a.b", true}, // the whole name of a table
		{`s."x""y"`, "s", `x"y`, true},
		{"*", "s", "a/b", true},
		{"a?b", "s", "a/b", true},
		{"* -t", "s", "t", false},
		{"* -t", "s", "u", true},
		{"-t", "s", "u", true},
		{"-t", "s", "t", false},
		{"t -s.t", "s", "t", false},
		{"t* -*_log", "s", "t_log", false},
		{"t * ", "s", "u", true},
	} {
		l, err := parseTables(strings.Fields(tt.list))
		if err != nil {
			t.Errorf("%s: %v", tt.list, err)
			continue
		}
		if got := l.wants(tt.schema, tt.table); got != tt.want {
			t.Errorf("%s: wants(%q, %q) = %t", tt.list, tt.schema, tt.table, got)
		}
	}
}

func TestParseTablesRefuses(t *testing.T) {
	t.Parallel()
	for member, fails := range map[string]string{
		"":        "names no table",
		"a[":      "not complete",
		"a.":      "name is missing",
		".a":      "name is missing",
		"-":       "name is missing",
		`"a`:      "closing quote",
		`"a"b`:    "follows",
		"a.b.c":   "follows",
		`"a"."b`:  "closing quote",
		`x\`:      "not complete",
		`"a".b.c`: "follows",
	} {
		_, err := parseTables([]string{member})
		if err == nil || !strings.Contains(err.Error(), fails) {
			t.Errorf("%q: got %v, want %s", member, err, fails)
		}
	}
}

// TestWithout: the line that a hint gives leaves out exactly the table.
func TestWithout(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"t", "a.b", "a,b", `q"q`, "-x", "x*", " x", "", "ž"} {
		l, err := parseTables([]string{"*", "-old"})
		if err != nil {
			t.Fatal(err)
		}
		entry := writeEntry("s", table)
		l, err = parseTables([]string{"*", "-old", "-" + entry})
		if err != nil {
			t.Errorf("%q: %v", table, err)
			continue
		}
		if l.wants("s", table) || !l.wants("s", "other") || !l.wants("s2", table) {
			t.Errorf("%q: -%s leaves out something else", table, entry)
		}
	}
	l, err := parseTables([]string{"a", "-b"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.without("s", `q"q`), `tables: ["a", "-b", "-s.\"q\"\"q\""]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzParseTables(f *testing.F) {
	f.Add(`"a""b".c`, "a", "b")
	f.Add("-log_[0-9]*", "public", "log_1")
	f.Fuzz(func(t *testing.T, member, schema, table string) {
		l, err := parseTables([]string{member})
		if err != nil {
			return
		}
		if l.wants(schema, table) && strings.HasPrefix(strings.TrimSpace(member), "-") && l.entries[0].match(schema, table) {
			t.Errorf("%q wants %q.%q, which it leaves out", member, schema, table)
		}
	})
}

func TestDotted(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"a", "b"},
		{"a.b", "c"},
		{"a", "b.c"},
		{"a", "b", "c"},
		{`"a"`, "b"},
		{"", "a"},
		{"a", ""},
		{`a"`, "b"},
		{"a b", "c"},
	} {
		name := dotted(parts...)
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both %s", parts, other, name)
		}
		seen[name] = parts
	}
	if got := dotted("public", "orders"); got != "public.orders" {
		t.Errorf("got %s", got)
	}
	if got := quoteTable(`a"b`, "c"); got != `"a""b"."c"` {
		t.Errorf("got %s", got)
	}
}

func TestFieldNames(t *testing.T) {
	t.Parallel()
	names, renamed := head.fieldNames("S", "T", []column{{name: "A"}, {name: "a"}, {name: "a_2"}, {name: "Á"}, {name: "á"}, {name: "A_2"}})
	want := []string{"s_t_a", "s_t_a_3", "s_t_a_2", "s_t_á", "s_t_á_2", "s_t_a_2_2"}
	if diff := cmp.Diff(want, names); diff != "" || renamed == "" {
		t.Errorf("renamed %q %s", renamed, diff)
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

// TestCase02BlankTables: a list that names no table is refused before anything connects.
func TestCase02BlankTables(t *testing.T) {
	t.Parallel()
	for _, tables := range []any{"", " ", " , ", []any{}, []any{" ", ""}} {
		values, err := field.Parse(Type.Fields, map[string]any{
			"host": "nosuch.invalid", "port": 1, "username": "u", "password": "p", "database": "d", "schema": "s", "tables": tables,
		})
		if err != nil {
			continue // refused even earlier
		}
		_, err = Type.Open(t.Context(), values, source.Env{Log: discard()})
		refuse(t, err, source.ErrConfig, "tables names no table")
	}
}
