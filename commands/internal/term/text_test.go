package term

import (
	"slices"
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
		if got := Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("a\x1b]0;title\x07")
	f.Add("\xc2\x9b31m\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := Plain(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, Escaped) {
			t.Errorf("%q became %q", s, got)
		}
		for _, width := range []int{0, 1, 7, 40} {
			if short := Shorten(got, width); Columns(short) > width {
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
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"}, // an accent has no width
	}
	for _, tt := range tests {
		if got := Shorten(tt.in, tt.width); got != tt.want {
			t.Errorf("%q in %d columns: got %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		Number(0): "0", Number(999): "999", Number(9_997): "9 997", Number(1_234_567): "1 234 567", Number(-1_000): "-1 000",
		byteSize(12): "12 B", byteSize(5 << 20): "5.0 MiB", byteSize(3 << 29): "1.5 GiB",
		Took(312 * time.Millisecond): "0.31 s", Took(12 * time.Second): "12 s", Took(125 * time.Second): "2 min 05 s",
		Took(3*time.Hour + 4*time.Minute): "3 h 04 min", Plural(1, "delete", "deletes"): "1 delete", Plural(1000, "delete", "deletes"): "1 000 deletes",
		ShellWord("search-docs"): "search-docs", ShellWord("a*b"): "'a*b'", ShellWord("it's"): `'it'\''s'`, ShellWord(""): "''",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNumbersAreNotBroken: a number that is written in groups stays on one line.
func TestNumbersAreNotBroken(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"350 000 unchanged, 60 000 held back":   {"350 000", "unchanged,", "60 000", "held back"},
		"(60 000 of 1 409 999 documents; 10 %)": {"(60 000 of", "1 409 999", "documents;", "10 %)"},
		"in 2017 400 of them":                   {"in 2017", "400 of", "them"},
		"60 000, 5 more":                        {"60 000, 5", "more"},
	}
	for text, want := range tests {
		if got := Wrap(text, 10); !slices.Equal(got, want) {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func TestShortenMiddle(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"short": "short", "shop_public_products_1042": "sh…cts_1042", "日本語日本語日本語": "日…語日本語", "": "",
	} {
		if got := ShortenMiddle(text, 11); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for width := range 30 {
		if got := ShortenMiddle("日本語_public_products_1042", width); Columns(got) > width {
			t.Errorf("%d columns: %q", width, got)
		}
	}
}
