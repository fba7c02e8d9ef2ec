package term

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// GitHub Actions reads commands from the output of a step: a line that begins with "::", after blanks, and "##["
// anywhere in a line, see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
// So text of a source could set outputs or hide messages. There, everything that the program writes passes an
// [inert] writer, except its own commands.

// inActions prepares the streams for GitHub Actions.
func (s *Streams) inActions() {
	if s.getenv("GITHUB_ACTIONS") != "true" {
		return
	}
	s.Commands = s.Err
	s.Out, s.Err = &inert{w: s.Out}, &inert{w: s.Err}
}

// inert separates the characters of a command by an invisible space. Formats for programs escape them so that
// they are never changed here: JSON and XML have escapes for any character.
type inert struct {
	mu     sync.Mutex
	w      io.Writer
	inside bool // the line has a character other than a blank
	colon  bool // the line begins with one
	hashes int  // just before
	buf    []byte
}

const invisible = "\u200b"

// Write implements [io.Writer]. A line may come in several writes.
func (n *inert) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buf = n.buf[:0]
	for _, c := range p {
		if n.colon && c == ':' || n.hashes > 1 && c == '[' {
			n.buf = append(n.buf, invisible...)
		}
		n.buf = append(n.buf, c)
		n.colon = c == ':' && !n.inside
		n.hashes = next(n.hashes, c)
		switch {
		case c == '\n' || c == '\r':
			n.inside = false
		case c > ' ' && c < 0x80: // other blanks are longer than a byte
			n.inside = true
		}
	}
	if _, err := n.w.Write(n.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

func next(hashes int, c byte) int {
	if c == '#' {
		return hashes + 1
	}
	return 0
}

// Command writes a command for GitHub Actions that shows a message of that level (error, warning or notice) beside
// the run; nothing elsewhere. Text may have several lines.
func Command(to io.Writer, level, title, text string) {
	if to == nil {
		return
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		lines = append(lines, Plain(line))
	}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	_, _ = fmt.Fprintf(to, "::%s title=%s::%s\n", level, property.Replace(Plain(title)), data.Replace(strings.Join(lines, "\n")))
}
