package commands

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

var exampleChanges = []report.Change{
	{Kind: "update", Reason: string(plan.ContentDiffers), Index: "search-shop", ID: "products_1042", Part: "shop.products", Fields: []report.Field{
		{Name: "price", Old: json.RawMessage(`"12.50"`), New: json.RawMessage(`"11.90"`)},
		{Name: "stock", Old: json.RawMessage(`7`), New: json.RawMessage(`3`)},
	}},
	{Kind: "create", Reason: string(plan.NotInIndex), Index: "search-shop", ID: "products_1043", Part: "shop.products"},
	{Kind: "delete", Reason: string(plan.GoneFromSource), Index: "search-shop", ID: "products_0007", Part: "shop.products"},
	{Kind: "update", Reason: string(plan.ContentDiffers), Index: "search-shop", ID: "日本語_\x1b[2J", Fields: []report.Field{
		{Name: "body", Old: json.RawMessage(`"` + strings.Repeat("あ", 200) + `"`), New: json.RawMessage("{\n  \"a\": [1, 2,\t3]\n}")},
		{Name: "gone", Old: json.RawMessage(`null`)},
	}},
}

func diffSession(t *testing.T, width int, o mirrorOptions) (*session, func() string) {
	t.Helper()
	streams, out, _ := term.TestStreams(width, nil)
	o.dry, o.format, o.color, o.progress = true, asText, term.Auto, term.Never
	s := newSession(&App{Streams: streams, Now: stopped, OwnTime: true}, &o, func(error) {})
	return s, out.String
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int{"file": 0, "terminal_40": 40, "terminal_100": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, out := diffSession(t, width, mirrorOptions{output: asText, fields: true})
			for _, c := range exampleChanges {
				s.printer.change(c)
			}
			o := &outcome{name: "shop", typ: "postgresql", took: 310_000_000}
			o.Result = engine.Result{Index: "search-shop", Counts: report.Snapshot{Read: 10_000, Created: 1, Updated: 2, Deleted: 1, Kept: 9_997}}
			s.printer.connector(s, o)
			golden(t, filepath.Join("testdata", "diff", name+".txt"), out())
			for line := range strings.Lines(out()) {
				line = strings.TrimRight(line, "\n")
				if strings.Contains(line, "\x1b[2J") {
					t.Errorf("a control sequence of an id: %q", line)
				}
				if width > 0 && term.Columns(line) > width && !strings.HasPrefix(line, "search-shop: ") {
					t.Errorf("wider than %d: %q", width, line)
				}
			}
		})
	}
}

// TestColumnsAreAlignedForBlocks has more lines than wait for each other.
func TestColumnsAreAlignedForBlocks(t *testing.T) {
	t.Parallel()
	s, out := diffSession(t, 0, mirrorOptions{output: asText})
	long := strings.Repeat("x", 200)
	for i := range alignedLines + 2 {
		id := "1"
		switch i {
		case 3:
			id = "four"
		case alignedLines:
			id = long
		}
		s.printer.change(report.Change{Kind: "delete", Reason: "gone", Index: "i", ID: id})
	}
	s.printer.end(s, 0, nil)
	lines := strings.Split(strings.TrimSpace(out()), "\n")
	if len(lines) != alignedLines+2 || lines[0] != "- i  1      gone" || lines[alignedLines+1] != lines[0] || lines[alignedLines] != "- i  "+long+"   gone" {
		t.Errorf("%d lines, the last ones %q", len(lines), lines[len(lines)-3:])
	}
}

func TestLimitCountsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{asText: "… and 3 changes, left out by --limit 1\n", asNDJSON: `"omitted":3`} {
		s, out := diffSession(t, 0, mirrorOptions{output: output, limit: 1})
		for _, c := range exampleChanges {
			s.printer.change(c)
		}
		s.printer.connector(s, &outcome{})
		s.printer.end(s, 0, nil)
		if got := out(); !strings.Contains(got, want) || strings.Count(got, "products_1042") != 1 || strings.Contains(got, "products_1043") {
			t.Errorf("%s: got %s", output, got)
		}
	}
}

func TestJSONLineStaysJSON(t *testing.T) {
	t.Parallel()
	want := "<b>\u202e \u009b \U000e0041 日本 \x1b"
	line := jsonLine(want)
	if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\u202e\u009b\x1b\U000e0041") || !strings.Contains(line, "<b>") {
		t.Errorf("got %s", line)
	}
	var got string
	if err := json.Unmarshal([]byte(line), &got); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestParseGuard(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  engine.Guard
		bad   bool
	}{
		{"", engine.Guard{Confirmed: -1}, false},
		{"0", engine.Guard{Confirmed: -1}, false},
		{"250", engine.Guard{Deletes: 250, Confirmed: -1}, false},
		{"2.5%", engine.Guard{Percent: 2.5, Confirmed: -1}, false},
		{"100%", engine.Guard{Percent: 100, Confirmed: -1}, false},
		{value: "-1", bad: true},
		{value: "101%", bad: true},
		{value: "NaN%", bad: true},
		{value: "%", bad: true},
		{value: "ten", bad: true},
	}
	for _, tt := range tests {
		got, given, err := parseGuard(tt.value)
		if (err != nil) != tt.bad || err == nil && got != tt.want || given != (tt.value != "") {
			t.Errorf("%q: got %+v, %v, %v", tt.value, got, given, err)
		}
	}
}

// TestTerminal runs a sync of several connectors on terminals.
func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		width    int
		args     []string
		out, err string // what must be there
		no       string // on neither
	}{
		{100, []string{"sync", "--all"}, "CONNECTOR  INDEX       CREATED", "msg=\"reading the source\" connector=one", "one: scripted -> search-one"},
		{40, []string{"sync", "--all"}, "one: scripted -> search-one", "level=INFO", "CONNECTOR"},
		{100, []string{"sync", "one"}, "one: scripted -> search-one", "level=INFO", "CONNECTOR"},
		{100, []string{"sync", "--all", "-q"}, "", "", "CONNECTOR"},
		{100, []string{"diff", "one"}, "\x1b[32m+ search-one  1\x1b[0m\n", "level=INFO", "CONNECTOR"},
	} {
		t.Run(strings.Join(tt.args, "_"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
			writeFile(t, filepath.Join(dir, "c.yml"), `
elasticsearch.host: embedded:./data
connectors:
  - {name: one, service_type: scripted, index_name: search-one, configuration: {script: script.json}}
  - {name: two, service_type: scripted, index_name: search-two, configuration: {script: script.json}}
`)
			env := map[string]string{"ELASTIC_INGEST_STATE_DIR": filepath.Join(dir, "state")}
			streams, out, errs := term.TestStreams(tt.width, env)
			lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
			a := &App{Streams: streams, Registry: testRegistry(), Env: config.Env{Lookup: lookup}, Now: stopped, OwnTime: true}
			code := a.Run(t.Context(), t.Context(), append(tt.args, "-c", filepath.Join(dir, "c.yml")))
			if code != ExitOK && code != ExitDiffers {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.err) || strings.Contains(out.String()+errs.String(), tt.no) {
				t.Errorf("stdout:\n%s\nstderr:\n%s", out, errs)
			}
		})
	}
}
