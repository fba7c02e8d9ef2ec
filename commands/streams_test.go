package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

func TestColour(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		width int
		env   map[string]string
		when  string
		want  bool
	}{
		{"a terminal", 80, nil, auto, true},
		{"no terminal", 0, nil, auto, false},
		{"NO_COLOR", 80, map[string]string{"NO_COLOR": "1"}, auto, false},
		{"an empty NO_COLOR is none", 80, map[string]string{"NO_COLOR": ""}, auto, true},
		{"CI", 80, map[string]string{"CI": "true"}, auto, false},
		{"a dumb terminal", 80, map[string]string{"TERM": "dumb"}, auto, false},
		{"always wins", 0, map[string]string{"NO_COLOR": "1"}, always, true},
		{"never wins", 80, nil, never, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := TestStreams(tt.width, tt.env)
			p := s.palette(s.outTTY, tt.when)
			want := "text"
			if tt.want {
				want = "\x1b[31mtext\x1b[0m"
			}
			if got := paint(p.red, "text"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		width int
		env   map[string]string
		o     mirrorOptions
		want  bool
	}{
		{"a terminal", 80, nil, mirrorOptions{globals: globals{progress: auto, format: asText}}, true},
		{"no terminal", 0, nil, mirrorOptions{globals: globals{progress: auto, format: asText}}, false},
		{"CI", 80, map[string]string{"CI": "1"}, mirrorOptions{globals: globals{progress: auto, format: asText}}, false},
		{"quiet", 80, nil, mirrorOptions{globals: globals{progress: auto, format: asText, quiet: true}}, false},
		{"a log for machines", 80, nil, mirrorOptions{globals: globals{progress: always, format: asECS}}, false},
		{"always in CI", 80, map[string]string{"CI": "1"}, mirrorOptions{globals: globals{progress: always, format: asText}}, true},
		{"a dumb terminal cannot", 80, map[string]string{"TERM": "dumb"}, mirrorOptions{globals: globals{progress: always, format: asText}}, false},
		{"never", 80, nil, mirrorOptions{globals: globals{progress: never, format: asText}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, _ := TestStreams(tt.width, tt.env)
			s := &session{app: &App{Streams: streams}, o: &tt.o}
			if got := s.live(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	c := report.Snapshot{Read: 1_234_567, Created: 1000, Updated: 34, Kept: 1_233_000, Deleted: 3, Bytes: 12 << 20, Expected: 2_000_000}
	full := "docs: 1 234 567 read, 1 034 written, 1 233 000 kept, 3 deleted, 41 152/s, 12.0 MiB, 30 s, about 19 s left"
	if got := progressLine("docs", "", c, 30*time.Second, 200); got != full {
		t.Errorf("got %q, want %q", got, full)
	}
	if got, want := progressLine("docs", "", c, 30*time.Second, 40), "docs: 1 234 567 read, 1 034 written"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for width := 1; width < 120; width++ {
		if got := progressLine("日本語\x1b[2J", "", c, time.Second, width); columns(got) > width || strings.Contains(got, "\x1b") {
			t.Errorf("%d columns: %q", width, got)
		}
	}
	if got, want := progressLine("docs", "scanning the index", report.Snapshot{}, time.Second, 80), "docs: scanning the index 1.00 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestScreen shows that text never meets the live line.
func TestScreen(t *testing.T) {
	t.Parallel()
	var out, live bytes.Buffer
	s := &screen{live: &live}
	w := s.over(&out)
	s.draw("half way")
	s.draw("half way")
	fmt.Fprintln(w, "a result")
	s.draw("further")
	s.draw("")
	fmt.Fprintln(w, "another")
	if got, want := live.String(), "half way"+eraseLine+"further"+eraseLine; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := out.String(), "a result\nanother\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

func TestOutputTellsItsFirstFailureOnce(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for err, want := range map[error]error{fmt.Errorf("write: %w", syscall.EPIPE): errOutputClosed, full: full} {
		told := 0
		o := newOutput(brokenWriter{err}, func(error) { told++ })
		for range 3 {
			if n, err := io.WriteString(o, "text"); n != 4 || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
		}
		if !errors.Is(o.failure(), want) || told != 1 {
			t.Errorf("got %v, told %d times", o.failure(), told)
		}
	}
}

func TestFullDiskIsNoSuccess(t *testing.T) {
	t.Parallel()
	s, _, stderr := TestStreams(0, nil)
	s.Out = brokenWriter{errors.New("no space left on device")}
	a := &App{Streams: s, Registry: testRegistry(), Now: stopped, OwnTime: true}
	if got := a.Run(t.Context(), t.Context(), []string{"version"}); got != ExitFailed || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit %d, stderr %q", got, stderr)
	}
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	tests := []struct{ format, want string }{
		{asText, `level=CRITICAL msg="it ended" connector=docs id=7 err="no \x1b[31mway"`},
		{asJSON, `"level":"CRITICAL","msg":"it ended","connector":"docs","id":7,"err":"no \u001b[31mway"}`},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		log := newLog(&b, tt.format, slog.LevelInfo).With(report.Connector, "docs")
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
	log := newLog(&b, asECS, slog.LevelDebug).With(report.Connector, "docs", report.Index, "search-docs").WithGroup("bulk").With("n", 3)
	log.Warn("sent again", slog.Group("answer", "status", 429), report.Took, 1500*time.Millisecond)
	newLog(&b, asECS, slog.LevelDebug).Error("failed", report.Err, errors.New("no way"), stackKey, "main.go:1")
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

func TestWhatLibrariesPrintIsNoOutput(t *testing.T) {
	stdout, stderr := os.Stdout, os.Stderr
	t.Cleanup(func() { os.Stdout, os.Stderr = stdout, stderr })
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = said.Close() })
	os.Stderr = said
	output, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	os.Stdout = output
	s := SystemStreams(t.Context())
	fmt.Println("a warning of the server")
	text, err := os.ReadFile(said.Name())
	if err != nil || string(text) != "a warning of the server\n" || s.Out != output {
		t.Errorf("stderr got %q, %v; the output is %v", text, err, s.Out)
	}
}
