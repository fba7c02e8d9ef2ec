package output

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

// printing creates a printer of a diff that prints into memory.
func printing(o Options) (Printer, *bytes.Buffer) {
	o.Dry = true
	streams, out, _ := term.TestStreams(o.Width, nil)
	o.Palette = streams.Palette(streams.OutTTY, term.Auto)
	return New(out, o), out
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int{"file": 0, "terminal_40": 40, "terminal_100": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, out := printing(Options{Form: Text, Width: width})
			for _, c := range exampleChanges {
				p.Change(c)
			}
			o := &Outcome{Name: "shop", Type: "postgresql", Took: 310_000_000}
			o.Result = engine.Result{Index: "search-shop", Counts: report.Snapshot{Read: 10_000, Created: 1, Updated: 2, Deleted: 1, Kept: 9_997}}
			p.Connector(o)
			golden(t, filepath.Join("testdata", "diff", name+".txt"), out.String())
			for line := range strings.Lines(out.String()) {
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

// TestColumnsAreAlignedForBlocks has more lines than are aligned together.
func TestColumnsAreAlignedForBlocks(t *testing.T) {
	t.Parallel()
	p, out := printing(Options{Form: Text})
	long := strings.Repeat("x", 200)
	for i := range alignedLines + 2 {
		id := "1"
		switch i {
		case 3:
			id = "four"
		case alignedLines:
			id = long
		}
		p.Change(report.Change{Kind: "delete", Reason: "gone", Index: "i", ID: id})
	}
	p.End(&Total{})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != alignedLines+2 || lines[0] != "- i  1      gone" || lines[alignedLines+1] != lines[0] || lines[alignedLines] != "- i  "+long+"   gone" {
		t.Errorf("%d lines, the last ones %q", len(lines), lines[len(lines)-3:])
	}
}

func TestLimitCountsOmittedChanges(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{Text: "… and 3 changes, omitted by --limit 1\n", NDJSON: `"omitted":3`} {
		p, out := printing(Options{Form: form, Limit: 1})
		for _, c := range exampleChanges {
			p.Change(c)
		}
		p.Connector(&Outcome{})
		p.End(&Total{})
		if got := out.String(); !strings.Contains(got, want) || strings.Count(got, "products_1042") != 1 || strings.Contains(got, "products_1043") {
			t.Errorf("%s: got %s", form, got)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a fixture
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}
