package term

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestHiddenLine(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"secret\r": "secret", "\n": "", "a b \r": "a b ", "xä\x7f\x08y\r": "y", "\x7f\x7fa\r": "a", "wrong\x15right\r": "right",
	} {
		if got, err := hiddenLine(strings.NewReader(typed)); err != nil || got != want {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "half", "half\x04", "\x00"} {
		if got, err := hiddenLine(strings.NewReader(typed)); !errors.Is(err, io.EOF) || got != "" {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	_, err := hiddenLine(strings.NewReader("half\x03"))
	if s, ok := errors.AsType[*SignalError](err); !ok || s.Signal != os.Interrupt {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// TestAPastedKeyIsOneAnswer: its other lines are not shown as answers to the next questions.
func TestAPastedKeyIsOneAnswer(t *testing.T) {
	t.Parallel()
	const rest = "next"
	for typed, want := range map[string]string{
		"{\r  \"type\": \"service_account\",\r  \"key\": \"}\"\r}\r": "{\n  \"type\": \"service_account\",\n  \"key\": \"}\"\n}",
		"{\"a\": 1}\r": `{"a": 1}`,
		"-----BEGIN KEY-----\rabc\r-----END KEY-----\r": "-----BEGIN KEY-----\nabc\n-----END KEY-----",
		"{secret\r":        "{secret",
		"{x}y\r":           "{x}y",
		"{\r\"a\": 1,\r\r": "{\n\"a\": 1,", // an empty line ends it
		"secret\r":         "secret",
	} {
		in := strings.NewReader(typed + rest)
		got, err := hiddenAnswer(in)
		if left, _ := io.ReadAll(in); err != nil || got != want || string(left) != rest { // a Reader does not fail
			t.Errorf("%q: got %q, %v; left %q", typed, got, err, left)
		}
	}
	if _, err := hiddenAnswer(strings.NewReader("{\r\x03")); err == nil {
		t.Error("Ctrl-C in a pasted key is ignored")
	}
}
