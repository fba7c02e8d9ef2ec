package term

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// isActionsCommand reads a line as the runner of GitHub Actions does.
func isActionsCommand(line string) bool {
	return strings.HasPrefix(strings.TrimFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[")
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
}

// throughInert writes text in pieces of that size.
func throughInert(t *testing.T, text string, size int) string {
	t.Helper()
	var out bytes.Buffer
	w := &inert{w: &out}
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		if written, err := w.Write([]byte(rest[:n])); written != n || err != nil {
			t.Fatalf("%d, %v", written, err)
		}
		rest = rest[n:]
	}
	return out.String()
}

func TestNoOutputIsACommandOfGitHubActions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::error::x\n":                   ":\u200b:error::x\n",
		"a\n \t\u00a0\u3000::set-output": "a\n \t\u00a0\u3000:\u200b:set-output",
		"a\r::error::x":                  "a\r:\u200b:error::x",
		"x ##[error]y":                   "x ##\u200b[error]y",
		"###[x]":                         "###\u200b[x]",
		"a::b # [c] #[d]\n:\n:":          "a::b # [c] #[d]\n:\n:",
	} {
		for size := 1; size <= len(text); size++ {
			got := throughInert(t, text, size)
			if got != want {
				t.Errorf("%q in pieces of %d: got %q, want %q", text, size, got, want)
			}
			for _, line := range lines(got) {
				if isActionsCommand(line) {
					t.Errorf("%q is a command", line)
				}
			}
		}
	}
}

func FuzzInert(f *testing.F) {
	f.Add("a\n::b##[c]", 3)
	f.Add("\u2028::\u0085::\n\xff::", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 || size > 100 {
			return
		}
		got := throughInert(t, text, size)
		for _, line := range lines(got) {
			if isActionsCommand(line) {
				t.Errorf("%q is a command", line)
			}
		}
		if strings.ReplaceAll(got, invisible, "") != strings.ReplaceAll(text, invisible, "") {
			t.Errorf("got %q from %q", got, text)
		}
	})
}

func TestACommandIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	Command(&out, "error", "a,b:c%\n", "50% of\r\nx\n::error::injected ##[y]\n")
	if got, want := out.String(), "::error title=a%2Cb%3Ac%25\\n::50%25 of\\r%0Ax%0A::error::injected ##[y]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	Command(nil, "error", "a", "b")
}

func TestStreamsInGitHubActions(t *testing.T) {
	t.Parallel()
	for value, inside := range map[string]bool{"true": true, "": false, "false": false} {
		s, out, errs := TestStreams(0, map[string]string{"GITHUB_ACTIONS": value})
		for _, w := range []interface{ Write([]byte) (int, error) }{s.Out, s.Err} {
			if _, err := w.Write([]byte("::x")); err != nil {
				t.Fatal(err)
			}
		}
		if (s.Commands != nil) != inside || isActionsCommand(out.String()) == inside || isActionsCommand(errs.String()) == inside {
			t.Errorf("GITHUB_ACTIONS=%s: stdout %q, stderr %q", value, out, errs)
		}
	}
}
