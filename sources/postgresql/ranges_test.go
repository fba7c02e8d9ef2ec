package postgresql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

func TestCutting(t *testing.T) {
	t.Parallel()
	d := &database{cutting: cutting{blocks: rangeBlocks, most: mostRanges}}
	for blocks, want := range map[int64][]string{
		0: {""}, 8191: {""},
		8192:  {"blocks 0-4095", "blocks 4096-"},
		12300: {"blocks 0-4099", "blocks 4100-8199", "blocks 8200-"},
	} {
		p := &part{db: d, Subject: sqlread.Subject{Rel: relation{Size: blocks, Scope: "s"}}}
		got := []string{}
		if n := d.cutting.ranges(blocks); n < 2 {
			got = append(got, "")
		} else {
			for _, p := range p.cut(n) {
				got = append(got, strings.TrimPrefix(p.Name(), "s "))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d blocks: %s", blocks, diff)
		}
	}
	if n := d.cutting.ranges(1 << 31); n != 16 {
		t.Errorf("a table of 16 TiB is read in %d ranges", n)
	}
}
