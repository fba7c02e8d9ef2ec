package term

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	c := report.Snapshot{Read: 1_234_567, Created: 1000, Updated: 34, Kept: 1_233_000, Deleted: 3, Bytes: 12 << 20, Expected: 2_000_000}
	full := "docs: 1 234 567 read, 1 034 written, 1 233 000 kept, 3 deleted, 41 152/s, 12.0 MiB, 30 s, about 19 s left"
	full = strings.Replace(full, "read,", "read, 61 %,", 1)
	if got := progressLine("docs", "", c, 30*time.Second, 200); got != full {
		t.Errorf("got %q, want %q", got, full)
	}
	if got, want := progressLine("docs", "looking for deleted documents", c, 30*time.Second, 80), "docs: 1 234 567 read, looking for deleted documents, 1 034 written"; !strings.HasPrefix(got, want) || Columns(got) > 80 {
		t.Errorf("got %q, want %q and more", got, want)
	}
	if got := progressLine("docs", report.Reading, c, 30*time.Second, 200); got != full {
		t.Errorf("got %q, want %q", got, full)
	}
	if got, want := progressLine("docs", "", c, 30*time.Second, 40), "docs: 1 234 567 read, 1 034 written"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for width := 1; width < 120; width++ {
		if got := progressLine("日本語\x1b[2J", "", c, time.Second, width); Columns(got) > width || strings.Contains(got, "\x1b") {
			t.Errorf("%d columns: %q", width, got)
		}
	}
	if got, want := progressLine("docs", "scanning the index", report.Snapshot{}, time.Second, 80), "docs: scanning the index 1.00 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPartsThatTakeLongerHaveALine: a part gets its line once it has been there for a while, and never a line that
// is wider than the terminal.
func TestPartsThatTakeLongerHaveALine(t *testing.T) {
	t.Parallel()
	var c report.Counters
	width := 80
	p := &Progress{Name: "shop", Width: func() int { return width }, Phase: func() string { return "reading the source" }, Counters: &c}
	c.Parts.Store(2)
	orders, users := c.Begin("public.orders", 400_000), c.Begin("public.users", 0)
	orders.Read.Store(120_000)
	users.Read.Store(7)
	for range steady {
		if lines := p.lines(time.Second); len(lines) != 1 {
			t.Fatalf("got %q", lines)
		}
	}
	want := []string{"shop: reading the source 1.00 s", "  public.orders: 120 000 of about 400 000 read, 30 %", "  public.users: 7 read"}
	if got := p.lines(time.Second); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for width = 40; width < 60; width++ {
		for _, line := range p.lines(time.Second) {
			if Columns(line) >= width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
	c.End(orders)
	if got := p.lines(time.Second); len(got) != 2 {
		t.Errorf("after its end: %q", got)
	}
}
