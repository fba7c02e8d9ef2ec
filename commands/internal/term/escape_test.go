package term

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// TestAFullPipeDoesNotBlockTheEnd: a write without a reader waits until the program has to end, and no longer.
func TestAFullPipeDoesNotBlockTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended, end := context.WithCancel(t.Context())
		reader, writer := io.Pipe()
		e := newEscapable(ended, writer)
		got := make(chan error, 2)
		go func() {
			_, err := e.Write([]byte("one"))
			got <- err
			_, err = e.Write([]byte("two"))
			got <- err
		}()
		synctest.Wait()
		select {
		case err := <-got:
			t.Fatalf("it did not wait for its reader: %v", err)
		default:
		}
		end()
		for range 2 {
			if err := <-got; !errors.Is(err, errOutputStuck) {
				t.Error(err)
			}
		}
		_ = reader.Close()
		close(e.in)
	})
}

// TestOutputStillArrivesAfterASignal: an active reader gets all output.
func TestOutputStillArrivesAfterASignal(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	var out bytes.Buffer
	e := newEscapable(ended, &out)
	for _, text := range []string{"one ", "two"} {
		if n, err := e.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	close(e.in)
	if out.String() != "one two" {
		t.Errorf("%q", out.String())
	}
}
