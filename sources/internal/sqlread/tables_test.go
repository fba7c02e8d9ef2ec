package sqlread

import (
	"strings"
	"testing"
)

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
		{"a.b", "s", "a.b", true}, // the complete name of a table
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
		l, err := Double.ParseTables(strings.Fields(tt.list))
		if err != nil {
			t.Errorf("%s: %v", tt.list, err)
			continue
		}
		if got := l.Wants(tt.schema, tt.table); got != tt.want {
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
		_, err := Double.ParseTables([]string{member})
		if err == nil || !strings.Contains(err.Error(), fails) {
			t.Errorf("%q: got %v, want %s", member, err, fails)
		}
	}
}

// TestWithout checks that the line of a hint excludes exactly the table.
func TestWithout(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"t", "a.b", "a,b", `q"q`, "-x", "x*", " x", "", "ž"} {
		l, err := Double.ParseTables([]string{"*", "-old"})
		if err != nil {
			t.Fatal(err)
		}
		entry := Double.WriteEntry("s", table)
		l, err = Double.ParseTables([]string{"*", "-old", "-" + entry})
		if err != nil {
			t.Errorf("%q: %v", table, err)
			continue
		}
		if l.Wants("s", table) || !l.Wants("s", "other") || !l.Wants("s2", table) {
			t.Errorf("%q: -%s leaves out something else", table, entry)
		}
	}
	l, err := Double.ParseTables([]string{"a", "-b"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Without([2]string{"s", `q"q`}, [2]string{"", "t"}), `tables: ["a", "-b", "-s.\"q\"\"q\"", "-t"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzParseTables(f *testing.F) {
	f.Add(`"a""b".c`, "a", "b")
	f.Add("-log_[0-9]*", "public", "log_1")
	f.Fuzz(func(t *testing.T, member, schema, table string) {
		l, err := Double.ParseTables([]string{member})
		if err != nil {
			return
		}
		if l.Wants(schema, table) && strings.HasPrefix(strings.TrimSpace(member), "-") && l.Entries[0].Match(schema, table) {
			t.Errorf("%q wants %q.%q, which it leaves out", member, schema, table)
		}
	})
}
