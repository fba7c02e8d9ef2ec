package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func TestLogFormats(t *testing.T) {
	t.Parallel()
	tests := []struct{ format, want string }{
		{Text, `level=CRITICAL msg="it ended" connector=docs id=7 err="no \x1b[31mway"`},
		{JSON, `"level":"CRITICAL","msg":"it ended","connector":"docs","id":7,"err":"no \u001b[31mway"}`},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		log := New(&b, tt.format, slog.LevelInfo).With(report.Connector, "docs")
		log.Debug("not this", "id", 1)
		log.Log(t.Context(), critical, "it ended", "id", 7, report.Err, "no \x1b[31mway")
		if got := strings.TrimSpace(b.String()); !strings.HasSuffix(got, tt.want) || strings.Contains(got, "not this") {
			t.Errorf("%s: got %s", tt.format, got)
		}
	}
}

func TestECS(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := New(&b, ECS, slog.LevelDebug).With(report.Connector, "docs", report.Index, "search-docs").WithGroup("bulk").With("n", 3)
	log.Warn("sent again", slog.Group("answer", "status", 429), report.Took, 1500*time.Millisecond)
	New(&b, ECS, slog.LevelDebug).Error("failed", report.Err, errors.New("no way"), stackKey, "main.go:1")
	var got []map[string]any
	for line := range strings.Lines(b.String()) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, record)
	}
	labels := map[string]any{
		"connector": "docs", "index_name": "search-docs", "bulk_n": "3", "bulk_answer_status": "429", "bulk_took": "1.5",
		"index_date": time.Now().UTC().Format("2006.01.02"),
	}
	if d := cmp.Diff(labels, got[0]["labels"]); d != "" {
		t.Error(d)
	}
	if got[0]["log.level"] != "warning" || got[0]["message"] != "sent again" {
		t.Errorf("got %v", got[0])
	}
	want := map[string]any{"message": "no way", "type": "*errors.errorString", "stack_trace": "main.go:1"}
	if d := cmp.Diff(want, got[1]["error"]); d != "" {
		t.Error(d)
	}
}
