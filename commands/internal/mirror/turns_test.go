package mirror

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

// TestConnectorsTakeTurns: the connector whose last run with a time limit is oldest runs first. A time far in
// the future is ignored: otherwise, after one wrong clock, the connector would be last for years.
func TestConnectorsTakeTurns(t *testing.T) {
	t.Parallel()
	const host = "http://localhost:9200" // nothing is sent
	dir, now := t.TempDir(), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	dest, err := destination.Open(&config.Config{Elasticsearch: config.Elasticsearch{Host: host}}, true)
	if err != nil {
		t.Fatal(err)
	}
	b := &batch{session: &session{app: &setup.App{Now: func() time.Time { return now }}, state: state.Dir(dir), until: t.Context(), dest: dest}}
	for index, at := range map[string]time.Time{
		"yesterday": now.AddDate(0, 0, -1), "today": now, "soon": now.Add(59 * time.Minute),
		"next year": now.AddDate(1, 0, 0), "in two hours": now.Add(2 * time.Hour),
	} {
		if err := b.state.KeepTurns(host, index, "me", map[string]int64{"a": 1}); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, "turns", state.Key(host, index)+".json"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, index := range []string{"soon", "next year", "today", "yesterday", "in two hours", "never"} {
		b.works = append(b.works, work{job: engine.Job{Index: index}})
	}
	b.inTurns()
	var got []string
	for _, w := range b.works {
		got = append(got, w.job.Index)
	}
	if want := []string{"next year", "in two hours", "never", "yesterday", "today", "soon"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
