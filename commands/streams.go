package commands

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/charmbracelet/lipgloss"
	"golang.org/x/term"
)

// Streams is where the program writes, and what is known of who reads there. Nothing else in the
// package looks at the terminal.
type Streams struct {
	In               io.Reader // of answers to questions
	Out, Err         io.Writer
	inTTY            bool
	outTTY, errTTY   bool
	outSize, errSize func() int // columns; 0 when unknown
	getenv           func(string) string
}

// narrowest is the least width that output is made for.
const narrowest = 40

// usual is the width that help text is made for where there is no terminal.
const usual = 100

// SystemStreams are the streams of the process. From then on os.Stdout is the error stream, so that what
// drivers print by themselves, as that of Oracle does, does not get into output that a script reads. When
// ended is over, no write waits for its reader any more.
func SystemStreams(ended context.Context) *Streams {
	size := func(f *os.File) func() int {
		return func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return width
		}
	}
	s := &Streams{
		In: os.Stdin, Out: escapableFrom(ended, os.Stdout), Err: escapableFrom(ended, os.Stderr), inTTY: term.IsTerminal(int(os.Stdin.Fd())),
		outTTY: term.IsTerminal(int(os.Stdout.Fd())), errTTY: term.IsTerminal(int(os.Stderr.Fd())),
		outSize: size(os.Stdout), errSize: size(os.Stderr), getenv: os.Getenv,
	}
	os.Stdout = os.Stderr
	return s
}

// TestStreams are streams into memory that claim to be terminals of that width, or files where width
// is 0. env are the variables that they see.
func TestStreams(width int, env map[string]string) (s *Streams, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	size := func() int { return width }
	return &Streams{
		In: strings.NewReader(""), Out: out, Err: err, outTTY: width > 0, errTTY: width > 0, outSize: size, errSize: size,
		getenv: func(name string) string { return env[name] },
	}, out, err
}

// asks reports whether there is somebody to answer a question.
func (s *Streams) asks() bool { return s.inTTY && s.errTTY }

// ask asks a question and reports whether the answer is yes. It returns when ctx ends, though somebody
// may still be about to answer: nobody reads that any more.
func (s *Streams) ask(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(s.Err, plain(question)+" [y/N] ")
	answer := make(chan string, 1)
	go func() { // ends with the answer, or with the program
		line, _ := bufio.NewReader(s.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case line := <-answer:
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(s.Err)
		return false, context.Cause(ctx)
	}
}

// OutWidth is the width to write stdout for.
func (s *Streams) OutWidth() int { return s.width(s.outTTY, s.outSize, usual) }

// ErrWidth is the width to write stderr for.
func (s *Streams) ErrWidth() int { return s.width(s.errTTY, s.errSize, usual) }

func (s *Streams) width(tty bool, size func() int, otherwise int) int {
	if !tty {
		return otherwise
	}
	if n := size(); n > 0 {
		return max(n, narrowest)
	}
	if n, err := strconv.Atoi(s.getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, narrowest)
	}
	return 80
}

// dumb reports that the terminal, or whoever records it, understands no control sequences.
func (s *Streams) dumb() bool { return s.getenv("TERM") == "dumb" || s.getenv("CI") != "" }

// palette makes the colours for stdout or stderr; when is the value of --color. See
// https://no-color.org for NO_COLOR.
func (s *Streams) palette(tty bool, when string) palette {
	on := tty && !s.dumb() && s.getenv("NO_COLOR") == ""
	switch when {
	case always:
		on = true
	case never:
		on = false
	}
	if !on {
		return palette{}
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(sixteen)
	style := func(color string) *lipgloss.Style {
		s := r.NewStyle().Foreground(lipgloss.Color(color))
		return &s
	}
	return palette{green: style("2"), yellow: style("3"), red: style("1"), grey: style("8")}
}

// sixteen is the colour profile of terminals that know sixteen colours, which are all that are used
// and that people can choose to their liking.
const sixteen = 2

// palette colours text; its zero value leaves it as it is.
type palette struct{ green, yellow, red, grey *lipgloss.Style }

func paint(style *lipgloss.Style, text string) string {
	if style == nil || text == "" {
		return text
	}
	return style.Render(text)
}

// errOutputClosed is the cause of a run that ends because nobody reads its output any more.
var errOutputClosed = errors.New("nobody reads the output any more")

// output is stdout for results. After a failed write the rest is discarded, so that a run can end in
// order; failed is told once.
type output struct {
	mu     sync.Mutex
	w      io.Writer
	failed func(error)
	err    error
}

func newOutput(w io.Writer, failed func(error)) *output { return &output{w: w, failed: failed} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return len(p), nil
	}
	if _, err := o.w.Write(p); err != nil {
		o.err = err
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, errOutputStuck) {
			o.err = errOutputClosed
		}
		if o.failed != nil {
			o.failed(o.err)
		}
	}
	return len(p), nil
}

// failure is the error of the first write that failed.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// screen keeps a live line at the bottom of the terminal while other text is written above it, to
// whichever of the two streams.
type screen struct {
	mu   sync.Mutex
	live io.Writer // where the line is; nil for no line
	line string
}

// eraseLine moves to the line's begin and empties it.
const eraseLine = "\r\x1b[K"

// over returns a writer to w that takes the live line away for its text. Text must end its lines;
// the line is drawn again with the next [screen.draw].
func (s *screen) over(w io.Writer) io.Writer { return &aboveLine{s, w} }

type aboveLine struct {
	screen *screen
	w      io.Writer
}

func (a *aboveLine) Write(p []byte) (int, error) {
	a.screen.mu.Lock()
	defer a.screen.mu.Unlock()
	a.screen.erase()
	return a.w.Write(p)
}

// draw replaces the live line; "" takes it away.
func (s *screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.line {
		return
	}
	s.erase()
	if line != "" && s.live != nil {
		_, _ = io.WriteString(s.live, line)
		s.line = line
	}
}

func (s *screen) erase() {
	if s.line != "" {
		_, _ = io.WriteString(s.live, eraseLine)
		s.line = ""
	}
}
