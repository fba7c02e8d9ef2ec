package sqlread

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

func TestTextsThatDifferInBadBytesMakeDifferentDocuments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                    "",
		"naïve 😀 \ufffd":           "",
		"na\xefve":                 "bytes that are no UTF-8 were replaced: ef",
		"\xe2\x82 and \xff":        "bytes that are no UTF-8 were replaced: e282ff",
		strings.Repeat("\xe4", 40): "bytes that are no UTF-8 were replaced: " + strings.Repeat("e4", 32) + "… (40 bytes)",
	} {
		v, reason := Text(text)
		if v.Kind() != document.KindString || reason != want {
			t.Errorf("%q: got a value of the kind %v and the reason %q, want %q", text, v.Kind(), reason, want)
		}
	}
}

func TestReplacedBytesAreReportedOncePerColumn(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	log, m := slog.New(slog.NewTextHandler(&said, nil)), Mended{}
	_, reason := Text("\xff")
	m.Report(log, "a", "x", reason)
	m.Report(log, "a", "x", reason)
	m.Report(log, "a", "y", reason)
	m.Report(log, "b", "x", reason)
	m.Report(log, "c", "x", "another reason")
	m.Report(log, "c", "x", "")
	if n := strings.Count(said.String(), "level=WARN"); n != 3 || !strings.Contains(said.String(), "part=a column=y") {
		t.Errorf("got %d warnings, want 3:\n%s", n, said.String())
	}
}
