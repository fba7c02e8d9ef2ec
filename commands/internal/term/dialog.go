package term

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// Dialog asks questions on stderr and reads the answers from stdin, line by line.
type Dialog struct {
	s  *Streams
	in *bufio.Reader
}

// NewDialog begins a dialog.
func (s *Streams) NewDialog() *Dialog { return &Dialog{s: s, in: bufio.NewReader(s.In)} }

// ErrInputEnded is the error of a question whose answer never came.
var ErrInputEnded = errors.New("the input ended before the last question")

// Say writes text in lines that fit the terminal.
func (d *Dialog) Say(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		for _, l := range Wrap(line, d.s.ErrWidth()) {
			fmt.Fprintln(d.s.Err, Plain(l))
		}
	}
}

// ask writes a question; the answer stands beside its end.
func (d *Dialog) ask(question string) {
	lines := Wrap(Plain(question)+":", d.s.ErrWidth()-1)
	fmt.Fprint(d.s.Err, strings.Join(lines, "\n")+" ")
}

// Line asks a question and returns the answer without blanks around it; usual is the answer of an empty line.
func (d *Dialog) Line(ctx context.Context, question, usual string) (string, error) {
	shown := question
	if usual != "" {
		shown += " [" + usual + "]"
	}
	d.ask(shown)
	answer, err := d.await(ctx, func() (string, error) { return d.in.ReadString('\n') })
	if answer = strings.TrimSpace(answer); answer == "" {
		answer = usual
	}
	return answer, err
}

// More returns a further line of the last answer, without asking.
func (d *Dialog) More(ctx context.Context) (string, error) {
	line, err := d.await(ctx, func() (string, error) { return d.in.ReadString('\n') })
	return strings.TrimRight(line, "\r\n"), err
}

// Hidden asks a question whose answer is not shown. The answer is not trimmed. [term.ReadPassword] is not used: it
// ignores Ctrl-D, and shows what is typed before it is called.
func (d *Dialog) Hidden(ctx context.Context, question string) (string, error) {
	f, ok := d.s.In.(*os.File)
	if !ok || !d.s.InTTY {
		d.ask(question)
		answer, err := d.await(ctx, func() (string, error) { return d.in.ReadString('\n') })
		return strings.TrimRight(answer, "\r\n"), err
	}
	fd := int(f.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	lines := Wrap(Plain(question)+":", d.s.ErrWidth()-1)
	fmt.Fprint(d.s.Err, strings.Join(lines, "\r\n")+" ") // a raw terminal does not return to the first column
	answer, err := d.await(ctx, func() (string, error) { return hiddenAnswer(f) })
	_ = term.Restore(fd, state) // also if the read was abandoned
	if !errors.Is(err, ErrInputEnded) && ctx.Err() == nil {
		fmt.Fprintln(d.s.Err)
	}
	return answer, err
}

// hiddenAnswer reads a line, or all lines of a key that is pasted: the lines after the first are no answers to further
// questions. An empty line ends one that is not closed.
func hiddenAnswer(in io.Reader) (string, error) {
	answer, err := hiddenLine(in)
	for err == nil && unclosed(answer) {
		var line string
		if line, err = hiddenLine(in); line == "" {
			break
		}
		answer += "\n" + line
	}
	return answer, err
}

// jsonBegins is the first line of an object; a password may begin with a brace, too.
var jsonBegins = regexp.MustCompile(`^\{\s*("|$)`)

// unclosed reports whether a text is the beginning of a JSON object or of a block of PEM.
func unclosed(text string) bool {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "-----BEGIN ") {
		return !strings.Contains(text, "-----END ") || !strings.HasSuffix(text, "-----")
	}
	return jsonBegins.MatchString(text) && !json.Valid([]byte(text))
}

// hiddenLine reads a line from a raw terminal, where keys are only characters.
func hiddenLine(in io.Reader) (string, error) {
	const (
		interrupt = 0x03
		end       = 0x04
		backspace = 0x08
		eraseAll  = 0x15
		del       = 0x7f
	)
	var line []byte
	key := make([]byte, 1)
	for {
		n, err := in.Read(key)
		switch {
		case err != nil:
			return "", err
		case n == 0:
			continue
		}
		switch key[0] {
		case '\r', '\n':
			return string(line), nil
		case interrupt:
			return "", &SignalError{Signal: os.Interrupt}
		case end, 0: // 0 is an end that was typed before the terminal was raw
			return "", io.EOF
		case backspace, del:
			_, size := utf8.DecodeLastRune(line)
			line = line[:len(line)-size]
		case eraseAll:
			line = line[:0]
		default:
			line = append(line, key[0])
		}
	}
}

// await reads an answer, or returns when ctx ends: the read is then abandoned, because it cannot be interrupted.
func (d *Dialog) await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() { // ends with the answer, or with the program
		var r result
		r.err = crash.Guarded(func() (err error) {
			r.text, err = read()
			return err
		})
		done <- r
	}()
	select {
	case r := <-done:
		if errors.Is(r.err, io.EOF) {
			fmt.Fprintln(d.s.Err)
			return "", ErrInputEnded
		}
		return r.text, r.err
	case <-ctx.Done():
		fmt.Fprintln(d.s.Err)
		return "", context.Cause(ctx)
	}
}
