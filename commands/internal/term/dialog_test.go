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
