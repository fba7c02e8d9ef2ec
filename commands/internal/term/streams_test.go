package term

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestColor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		width int
		env   map[string]string
		when  string
		want  bool
	}{
		{"a terminal", 80, nil, Auto, true},
		{"no terminal", 0, nil, Auto, false},
		{"NO_COLOR", 80, map[string]string{"NO_COLOR": "1"}, Auto, false},
		{"an empty NO_COLOR is none", 80, map[string]string{"NO_COLOR": ""}, Auto, true},
		{"CI", 80, map[string]string{"CI": "true"}, Auto, false},
		{"a dumb terminal", 80, map[string]string{"TERM": "dumb"}, Auto, false},
		{"always takes precedence", 0, map[string]string{"NO_COLOR": "1"}, Always, true},
		{"never takes precedence", 80, nil, Never, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := TestStreams(tt.width, tt.env)
			p := s.Palette(s.OutTTY, tt.when)
			want := "text"
			if tt.want {
				want = "\x1b[31mtext\x1b[0m"
			}
			if got := Paint(p.Red, "text"); got != want {
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
		when  string
		quiet bool
		want  bool
	}{
		{"a terminal", 80, nil, Auto, false, true},
		{"no terminal", 0, nil, Auto, false, false},
		{"CI", 80, map[string]string{"CI": "1"}, Auto, false, false},
		{"quiet", 80, nil, Auto, true, false},
		{"always in CI", 80, map[string]string{"CI": "1"}, Always, false, true},
		{"a dumb terminal cannot", 80, map[string]string{"TERM": "dumb"}, Always, false, false},
		{"never", 80, nil, Never, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := TestStreams(tt.width, tt.env)
			if got := s.Live(tt.when, tt.quiet); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestScreen shows that text and the live lines never mix.
func TestScreen(t *testing.T) {
	t.Parallel()
	var out, live bytes.Buffer
	s := &Screen{Live: &live}
	w := s.Over(&out)
	s.draw("half way")
	s.draw("half way")
	fmt.Fprintln(w, "a result")
	s.draw("further", "  a table", "  another")
	s.draw()
	fmt.Fprintln(w, "another")
	want := "half way" + eraseLine + "further\r\n  a table\r\n  another" + eraseLine + lineUp + eraseLine + lineUp + eraseLine
	if got := live.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := out.String(), "a result\nanother\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

func TestOutputReportsItsFirstFailureOnce(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for err, want := range map[error]error{fmt.Errorf("write: %w", syscall.EPIPE): ErrOutputClosed, full: full} {
		failures := 0
		o := NewResults(brokenWriter{err}, func(error) { failures++ })
		for range 3 {
			if n, err := io.WriteString(o, "text"); n != 4 || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
		}
		if !errors.Is(o.Failure(), want) || failures != 1 {
			t.Errorf("got %v, reported %d times", o.Failure(), failures)
		}
	}
}

func TestOutputOfLibrariesGoesToStderr(t *testing.T) {
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
