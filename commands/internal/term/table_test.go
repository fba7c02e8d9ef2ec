package term

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTablesFit(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"CONNECTOR", "SOURCE TYPE", "INDEX", "DESTINATION"},
		{"docs", "postgresql", "search-a-rather-long-name-of-an-index", "https://elasticsearch.example.com:9200"},
		{"日本語日本語日本語", "dir", "x", "y"},
	}
	for _, width := range []int{40, 60, 200} {
		text := Table(width, rows)
		if n := strings.Count(text, "\n"); n != len(rows) {
			t.Errorf("%d columns: %d lines, want %d:\n%s", width, n, len(rows), text)
		}
		for line := range strings.Lines(text) {
			if Columns(strings.TrimRight(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
}

func TestRecordTableNeverShortensIDs(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"JOB ID", "CONNECTOR", "STATUS", "INDEXED"},
		{"AAAAABBBBBCCCCCDDDDD", "a connector with a long name", "completed", "1 200"},
		{"x", "b", "", "7"},
	}
	for _, tt := range []struct {
		name  string
		width int
		want  string
	}{
		{"room for all", Unlimited, `
JOB ID                CONNECTOR                     STATUS     INDEXED
AAAAABBBBBCCCCCDDDDD  a connector with a long name  completed    1 200
x                     b                                              7
`},
		{"other columns are shortened", 56, `
JOB ID                CONNECTOR       STATUS     INDEXED
AAAAABBBBBCCCCCDDDDD  a connector w…  completed    1 200
x                     b                                7
`},
		{"no room next to it", 40, `
AAAAABBBBBCCCCCDDDDD
  connector: a connector with a long na…
  status: completed
  indexed: 1 200

x
  connector: b
  indexed: 7
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), RecordTable(tt.width, rows, 3)); d != "" {
				t.Error(d)
			}
		})
	}
}
