package objects

import (
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
)

// ISO writes a time as connectors do: in UTC, with microseconds, rounded down, where there are any.
func ISO(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond() < 1000 {
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}

// TextOrNull is null for a text that is absent.
func TextOrNull(s string) document.Value {
	if s == "" {
		return document.Null()
	}
	return document.String(s)
}
