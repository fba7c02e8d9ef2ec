// Package term is the terminal: the three streams and their readers, the live line, colors, and text that fits
// a width and is safe to show.
//
// It knows nothing about connectors and documents. No other package in commands queries the system about a
// terminal, and untrusted text reaches a terminal only through [Plain].
package term

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// The values of --color and --progress.
const (
	Auto   = "auto"
	Always = "always"
	Never  = "never"
)

// Streams are stdin, stdout and stderr, and what is known about their readers. Nothing else in the package
// checks for a terminal.
type Streams struct {
	In               io.Reader // answers to questions
	Out, Err         io.Writer
	Commands         io.Writer // takes commands for GitHub Actions, see [Command]; nil elsewhere
	InTTY            bool
	OutTTY, ErrTTY   bool
	outSize, errSize func() int // columns; 0 if unknown
	getenv           func(string) string
}

// NarrowestWidth is the minimum width of output.
const NarrowestWidth = 40

// usualWidth is the width of lines without a terminal.
const usualWidth = 100

// SystemStreams are the streams of the process. From then on os.Stdout is the error stream, so that text that
// drivers print, as Oracle's does, stays out of output that scripts read. When ended is done, no write waits
// for its reader any longer.
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
		In: os.Stdin, Out: escapableFrom(ended, os.Stdout), Err: escapableFrom(ended, os.Stderr), InTTY: term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())), ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		outSize: size(os.Stdout), errSize: size(os.Stderr), getenv: os.Getenv,
	}
	os.Stdout = os.Stderr
	s.inActions()
	return s
}

// TestStreams are streams in memory that pretend to be terminals of that width, or files if width is 0. env is
// their environment.
func TestStreams(width int, env map[string]string) (s *Streams, out, err *bytes.Buffer) {
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	size := func() int { return width }
	s = &Streams{
		In: strings.NewReader(""), Out: out, Err: err, OutTTY: width > 0, ErrTTY: width > 0, outSize: size, errSize: size,
		getenv: func(name string) string { return env[name] },
	}
	s.inActions()
	return s, out, err
}

// Asks reports whether there is a terminal to ask a question on.
func (s *Streams) Asks() bool { return s.InTTY && s.ErrTTY }

// Ask asks a question and reports whether the answer is yes. It returns when ctx ends, even before an answer.
func (s *Streams) Ask(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(s.Err, Plain(question)+" [y/N] ")
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

// OutWidth is the width of stdout.
func (s *Streams) OutWidth() int { return s.width(s.OutTTY, s.outSize, usualWidth) }

// ErrWidth is the width of stderr.
func (s *Streams) ErrWidth() int { return s.width(s.ErrTTY, s.errSize, usualWidth) }

func (s *Streams) width(tty bool, size func() int, otherwise int) int {
	if !tty {
		return otherwise
	}
	if n := size(); n > 0 {
		return max(n, NarrowestWidth)
	}
	if n, err := strconv.Atoi(s.getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, NarrowestWidth)
	}
	return 80
}

// dumb reports that the terminal, or the log that records the output, does not support control sequences.
func (s *Streams) dumb() bool { return s.getenv("TERM") == "dumb" || s.getenv("CI") != "" }

// Live reports whether stderr can show a live line; when is the value of --progress.
func (s *Streams) Live(when string, quiet bool) bool {
	if !s.ErrTTY || s.getenv("TERM") == "dumb" {
		return false
	}
	return when == Always || when == Auto && !s.dumb() && !quiet
}
