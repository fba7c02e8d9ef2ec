package sqlread

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestNativePrefixes: other names, or the same in other lists, never make the same prefix.
func TestNativePrefixes(t *testing.T) {
	t.Parallel()
	seen := map[string][][]string{}
	for _, lists := range [][][]string{
		{{"d"}, {"a", "b"}}, {{"d"}, {"a+b"}}, {{"d", "a"}, {"b"}}, {{"d:a"}, {"b"}}, {{"d"}, {"a:b"}}, {{"d"}, {"a%2Bb"}}, {{"d"}, {"a"}, {"b"}},
	} {
		prefix := NativePrefix("sql", lists...)
		if other, twice := seen[prefix]; twice {
			t.Errorf("%q and %q are both %s", lists, other, prefix)
		}
		seen[prefix] = lists
	}
	if got := NativePrefix("sql", []string{"d"}, []string{"a", "b"}); got != "sql:d:a+b:" {
		t.Errorf("got %s", got)
	}
}

func TestProfilesAndEncodings(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Profile{"": Head, "head": Head, "seed87": Seed87, "native": Native} {
		if got, err := ProfileOf(source.Env{Profile: name}); err != nil || got != want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for name, want := range map[string]bool{"": false, "exact": false, "compat": true} {
		if got, err := Compatible(source.Env{Encoding: name}); err != nil || got != want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	if _, err := ProfileOf(source.Env{Profile: "x"}); err == nil {
		t.Error("an unknown profile was taken")
	}
	if _, err := Compatible(source.Env{Encoding: "x"}); err == nil {
		t.Error("an unknown encoding was taken")
	}
}

// TestRenamedFieldsAreLogged names every column whose field has another name, and what the field is called.
func TestRenamedFieldsAreLogged(t *testing.T) {
	t.Parallel()
	columns, names := []string{"X", "x.y", "id.z", "."}, []string{"x", "x.y", "id.z", "."}
	var log strings.Builder
	LogRenamed(slog.New(slog.NewTextHandler(&log, nil)), "s.t", append(PortableFields(columns, names, "table"), Renamed{Column: "gone"}))
	if got := strings.Join(names, " "); got != "x x_y id_z _" {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{"part=s.t column=x.y field=x_y", "column=id.z field=id_z", "column=. field=_", "skipping a column", "part=s.t column=gone\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in %s", want, log.String())
		}
	}
	members := []string{"id.z", "a", "a"}
	if renamed := PortableMembers([]string{"id.z", "a", "a"}, members); len(renamed) != 1 || strings.Join(members, " ") != "id.z a a_2" {
		t.Errorf("got %v, %v", members, renamed)
	}
}
