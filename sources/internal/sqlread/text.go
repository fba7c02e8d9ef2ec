package sqlread

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

const (
	notUTF8 = "bytes that are no UTF-8 were replaced: "
	// maxMended is how many of the bytes a note lists.
	maxMended = 32
)

// Text is text of a database that need not be UTF-8: the encoder replaces each invalid byte. The reason
// lists these bytes, so that two texts that differ in them make different documents.
func Text(text string) (v document.Value, reason string) {
	if utf8.ValidString(text) {
		return document.String(text), ""
	}
	var b strings.Builder
	b.WriteString(notUTF8)
	n := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			if n < maxMended {
				fmt.Fprintf(&b, "%02x", text[i])
			}
			n++
		}
		i += size
	}
	if n > maxMended {
		fmt.Fprintf(&b, "… (%d bytes)", n)
	}
	return document.String(text), b.String()
}

// Mended logs once for each column that invalid bytes were replaced.
type Mended struct{ columns sync.Map }

// Report logs the reason that [Text] returned for a value of the column; it ignores others.
func (m *Mended) Report(log *slog.Logger, part, column, reason string) {
	if !strings.HasPrefix(reason, notUTF8) {
		return
	}
	if _, reported := m.columns.LoadOrStore([2]string{part, column}, true); !reported {
		log.Warn("a column has invalid UTF-8; the invalid bytes were replaced, and are listed in "+NotesField, "part", part, "column", column)
	}
}
