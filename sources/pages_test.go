package sources_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/sources"
)

var update = flag.Bool("update", false, "rewrite the option tables of docs/sources")

// What stands around the table of options of a page.
const (
	tableBegins = "<!-- options: made by make golden from the fields of the source, see TestOptionTables -->\n"
	tableEnds   = "<!-- end of options -->\n"
)

// TestOptionTables keeps the options of docs/sources as the program has them: what a page says of a key
// is what a form shows beside it.
func TestOptionTables(t *testing.T) {
	t.Parallel()
	for _, typ := range sources.Builtin.Types() {
		page := filepath.Join("..", "docs", "sources", typ.Name+".md")
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Errorf("the source has no page: %v", err)
			continue
		}
		before, rest, begins := strings.Cut(string(raw), tableBegins)
		got, after, ends := strings.Cut(rest, tableEnds)
		if !begins || !ends {
			t.Errorf("%s has no place for the table of options", page)
			continue
		}
		want := optionTable(typ.Fields)
		if *update {
			if err := os.WriteFile(page, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil { //nolint:gosec // a page
				t.Fatal(err)
			}
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: the options differ (make golden rewrites them):\n%s", page, d)
		}
	}
}

func optionTable(specs []field.Spec) string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for i := range specs {
		s := &specs[i]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, optionValue(s), optionPreset(s), optionMeaning(s))
	}
	return b.String()
}

// optionValue is what may be given.
func optionValue(s *field.Spec) string {
	var choices []string
	for _, o := range s.Options {
		choices = append(choices, "`"+o.Value+"`")
	}
	switch {
	case choices != nil:
		return strings.Join(choices, ", ")
	case s.Type == field.Bool:
		return "`true`, `false`"
	case s.Type == field.Int:
		return "number" + optionRange(s)
	case s.Type == field.List:
		return "list"
	case s.Path:
		return "path"
	case s.Sensitive:
		return "text, secret"
	}
	return "text"
}

func optionRange(s *field.Spec) string {
	var low, high string
	for _, v := range s.Validations {
		n, ok := v.Constraint.(int)
		switch {
		case ok && v.Type == field.GreaterThan:
			low = fmt.Sprint(n + 1)
		case ok && v.Type == field.LessThan:
			high = fmt.Sprint(n - 1)
		}
	}
	switch {
	case low != "" && high != "":
		return ", " + low + " to " + high
	case low != "":
		return ", at least " + low
	case high != "":
		return ", at most " + high
	}
	return ""
}

// optionPreset is what holds when the key is absent.
func optionPreset(s *field.Spec) string {
	for _, v := range []any{s.Value, s.Default} {
		if v != nil && v != "" {
			return fmt.Sprintf("`%v`", v)
		}
	}
	if s.Optional {
		return "none"
	}
	return "required"
}

func optionMeaning(s *field.Spec) string {
	var when []string
	for _, d := range s.DependsOn {
		when = append(when, fmt.Sprintf("`%s: %v`", d.Field, d.Value))
	}
	text := s.Tooltip
	if text == "" {
		text = s.Label + "."
	}
	text = strings.NewReplacer("*", `\*`, "|", `\|`, "<", "&lt;").Replace(text)
	if when == nil {
		return text
	}
	return "Only with " + strings.Join(when, " and ") + ". " + text
}
