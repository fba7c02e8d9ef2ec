package term

import (
	"io"
	"sync"
)

// Screen keeps a live line at the bottom of the terminal while other text is written above it, to either of
// the two streams.
type Screen struct {
	mu   sync.Mutex
	Live io.Writer // the stream of the line; nil for no line
	line string
}

// eraseLine moves to the beginning of the line and erases it.
const eraseLine = "\r\x1b[K"

// Over returns a writer to w that erases the live line before it writes. Text must end its lines; the line is
// drawn again at the next progress update.
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

// draw replaces the live line; "" removes it.
func (s *Screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.line {
		return
	}
	s.erase()
	if line != "" && s.Live != nil {
		_, _ = io.WriteString(s.Live, line)
		s.line = line
	}
}

func (s *Screen) erase() {
	if s.line != "" {
		_, _ = io.WriteString(s.Live, eraseLine)
		s.line = ""
	}
}
