package crash

import (
	"bytes"
	"errors"
	"testing"
)

func TestAPanicIsAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	err := Guarded(func() error { panic("no") })
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Value != "no" || !bytes.Contains(e.Stack, []byte("crash_test.go")) || err.Error() != "panic: no" {
		t.Errorf("%v", err)
	}
	plain := errors.New("plain")
	if err := Guarded(func() error { return plain }); !errors.Is(err, plain) {
		t.Errorf("an error that is none of a panic: %v", err)
	}
	if err := Guarded(func() error { return nil }); err != nil {
		t.Errorf("nothing happened: %v", err)
	}
}
