package document

import (
	"strings"
	"testing"
)

func TestTextSize(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "plain", "\"\\\n\r\t", "\x00\x1f\x7f", "é€😀\u2028", "a\xffb", "\xe2\x82", "\xed\xa0\x80", "é\xff\"€\n", strings.Repeat("\xff", 1000),
	} {
		if got, want := TextSize(s), int64(len(AppendString(nil, s))); got != want {
			t.Errorf("TextSize(%.40q) = %d, want %d", s, got, want)
		}
	}
}

func FuzzTextSize(f *testing.F) {
	f.Add("é\xff\"\n\x00€")
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := TextSize(s), int64(len(AppendString(nil, s))); got != want {
			t.Errorf("TextSize(%q) = %d, want %d", s, got, want)
		}
	})
}

// TestSize: what is acquired before a document is encoded is about what it takes, and hardly less.
func TestSize(t *testing.T) {
	t.Parallel()
	docs := []Document{{}, {ID: strings.Repeat("a", 512)}, benchDocument(), {ID: "a", Fields: []Field{{strings.Repeat("n", 1000), Bytes(make([]byte, 3000))}}}}
	for i := range docs {
		out, _ := AppendSource(nil, &docs[i], Trailer{Timestamp: "2024-05-06T07:08:09.123456789Z"})
		if got, written := Size(&docs[i]), int64(len(out)); got < written || got > written+200 {
			t.Errorf("Size = %d, written %d", got, written)
		}
	}
}
