package term

import (
	"io"
	"slices"
	"strings"
	"sync"
)

// Screen keeps live lines at the bottom of the terminal while other text is written above them, to either of
// the two streams.
type Screen struct {
	mu    sync.Mutex
	Live  io.Writer // the stream of the lines; nil for no lines
	lines []string
}

const (
	eraseLine = "\r\x1b[K" // moves to the beginning of the line and erases it
	lineUp    = "\x1b[A"
)

// Over returns a writer to w that erases the live lines before it writes. Text must end its lines; the live lines
// are drawn again at the next progress update.
func (s *Screen) Over(w io.Writer) io.Writer { return &aboveLine{s, w} }

type aboveLine struct {
	screen *Screen
	w      io.Writer
}

func (a *aboveLine) Write(p []byte) (int, error) {
	a.screen.mu.Lock()
	defer a.screen.mu.Unlock()
	a.screen.erase()
	return a.w.Write(p)
}

// draw replaces the live lines; no line removes them. Each must fit into the width of the terminal.
func (s *Screen) draw(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(lines, s.lines) {
		return
	}
	s.erase()
	if len(lines) > 0 && s.Live != nil {
		_, _ = io.WriteString(s.Live, strings.Join(lines, "\r\n"))
		s.lines = lines
	}
}

func (s *Screen) erase() {
	if len(s.lines) == 0 {
		return
	}
	_, _ = io.WriteString(s.Live, strings.Repeat(eraseLine+lineUp, len(s.lines)-1)+eraseLine)
	s.lines = nil
}
