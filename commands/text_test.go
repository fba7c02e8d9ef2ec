package commands

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"orders":                "orders",
		"Übergröße 日本 👍":        "Übergröße 日本 👍",
		"a\x1b[31mred":          `a\x1b[31mred`,
		"line\nbreak\ttab\r":    `line\nbreak\ttab\r`,
		"\u009b2J":              `\u009b2J`,
		"\u202egnp.exe":         `\u202egnp.exe`,
		"\xff\xfeno text":       `\xff\xfeno text`,
		"no\u00a0break":         "no\u00a0break",
		"क्\u200dष \u200c":      "क्\u200dष \u200c",
		"\x00\x07\x7f":          `\x00\a\x7f`,
		"line\u2028separator":   `line\u2028separator`,
		"tag\U000e0041 private": `tag\U000e0041 private`,
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b]0;title\x07")
	f.Add("\xc2\x9b31m\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, escaped) {
			t.Errorf("%q became %q", s, got)
		}
		for _, width := range []int{0, 1, 7, 40} {
			if short := shorten(got, width); columns(short) > width {
				t.Errorf("%q is wider than %d", short, width)
			}
		}
	})
}

func TestShorten(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		width int
		want  string
	}{
		{"orders", 6, "orders"},
		{"orders", 5, "orde…"},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"日本語", 1, "…"},
		{"日本語", 0, ""},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"}, // an accent is no column of its own
	}
	for _, tt := range tests {
		if got := shorten(tt.in, tt.width); got != tt.want {
			t.Errorf("%q in %d columns: got %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(9_997): "9 997", number(1_234_567): "1 234 567", number(-1_000): "-1 000",
		byteSize(12): "12 B", byteSize(5 << 20): "5.0 MiB", byteSize(3 << 29): "1.5 GiB",
		took(312 * time.Millisecond): "0.31 s", took(12 * time.Second): "12 s", took(125 * time.Second): "2 min 05 s",
		took(3*time.Hour + 4*time.Minute): "3 h 04 min", plural(1, "delete", "deletes"): "1 delete", plural(1000, "delete", "deletes"): "1 000 deletes",
		shellWord("search-docs"): "search-docs", shellWord("a*b"): "'a*b'", shellWord("it's"): `'it'\''s'`, shellWord(""): "''",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTablesFit(t *testing.T) {
	t.Parallel()
	rows := [][]string{
		{"CONNECTOR", "SOURCE TYPE", "INDEX", "DESTINATION"},
		{"docs", "postgresql", "search-a-rather-long-name-of-an-index", "https://elasticsearch.example.com:9200"},
		{"日本語日本語日本語", "dir", "x", "y"},
	}
	for _, width := range []int{40, 60, 200} {
		text := tableText(width, rows)
		if n := strings.Count(text, "\n"); n != len(rows) {
			t.Errorf("%d columns: %d lines, want %d:\n%s", width, n, len(rows), text)
		}
		for line := range strings.Lines(text) {
			if columns(strings.TrimRight(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
}
