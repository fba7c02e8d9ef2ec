package sqlread

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	busy, refused := errors.New("busy"), errors.New("refused")
	for name, tt := range map[string]struct {
		answers []error // the last one counts for all that follow
		tries   int
		want    error
	}{
		"at once":           {answers: []error{nil}, tries: 1},
		"the third time":    {answers: []error{busy, busy, nil}, tries: 3},
		"never":             {answers: []error{busy}, tries: 4, want: busy},
		"a wrong password":  {answers: []error{refused}, tries: 1, want: refused},
		"refused after all": {answers: []error{busy, refused}, tries: 2, want: refused},
	} {
		tries := 0
		pauses := 0
		a := Attempts{
			Most: 4, Worth: func(err error) bool { return errors.Is(err, busy) }, Log: slog.New(slog.DiscardHandler), Told: func(err error) error { return err },
			Pause: func(context.Context, time.Duration) error { pauses++; return nil },
		}
		got, err := Connect(t.Context(), a, func(context.Context) (int, error) {
			tries++
			return tries, tt.answers[min(tries, len(tt.answers))-1]
		})
		if !errors.Is(err, tt.want) || tries != tt.tries || got != tries || pauses != tries-1 {
			t.Errorf("%s: %d, %v after %d tries and %d pauses", name, got, err, tries, pauses)
		}
	}
}

// TestConnectIsCancelled: while it waits, and while it tries.
func TestConnectIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	a := Attempts{
		Most: 4, Worth: func(error) bool { return true }, Log: slog.New(slog.DiscardHandler), Told: func(err error) error { return err },
		Pause: func(context.Context, time.Duration) error { return context.Canceled },
	}
	tries := 0
	once := func(context.Context) (int, error) { tries++; return 0, errors.New("busy") }
	if _, err := Connect(ctx, a, once); !errors.Is(err, context.Canceled) || tries != 1 {
		t.Errorf("while it waits: %v after %d tries", err, tries)
	}
	cancel()
	if _, err := Connect(ctx, a, once); !errors.Is(err, context.Canceled) || tries != 2 {
		t.Errorf("while it tries: %v after %d tries", err, tries)
	}
}
