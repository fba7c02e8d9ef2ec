package term

import (
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	c := report.Snapshot{Read: 1_234_567, Created: 1000, Updated: 34, Kept: 1_233_000, Deleted: 3, Bytes: 12 << 20, Expected: 2_000_000}
	full := "docs: 1 234 567 read, 1 034 written, 1 233 000 kept, 3 deleted, 41 152/s, 12.0 MiB, 30 s, about 19 s left"
	if got := progressLine("docs", "", c, 30*time.Second, 200); got != full {
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
