package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
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
			Most: 4, Worth: func(err error) bool { return errors.Is(err, busy) }, Log: slog.New(slog.DiscardHandler), Shorten: func(err error) error { return err },
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

// TestConnectIsCancelled cancels it while it waits, and while it tries.
func TestConnectIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	a := Attempts{
		Most: 4, Worth: func(error) bool { return true }, Log: slog.New(slog.DiscardHandler), Shorten: func(err error) error { return err },
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

// TestResume checks that as many attempts follow a loss as are left.
func TestResume(t *testing.T) {
	t.Parallel()
	lost, altered, refused := errors.New("lost"), errors.New("altered"), errors.New("refused")
	away := &source.Error{Kind: source.ErrUnreachable, Err: errors.New("away")}
	for name, tt := range map[string]struct {
		cause     error
		before    int // losses since the last row
		answers   []error
		tries     int
		says      string
		temporary bool
	}{
		"at once":               {cause: lost, answers: []error{nil}, tries: 1},
		"the second time":       {cause: lost, answers: []error{lost, nil}, tries: 2},
		"never":                 {cause: lost, answers: []error{lost, errors.New("lost too")}, tries: 3, says: "part t: lost", temporary: true},
		"no attempt is left":    {cause: lost, before: 3, says: "part t: lost", temporary: true},
		"what does not pass":    {cause: refused, says: "part t: refused"},
		"refused after all":     {cause: lost, answers: []error{refused}, tries: 1, says: "part t: refused"},
		"altered in between":    {cause: lost, answers: []error{altered}, tries: 1, says: "t: read rows: lost; resuming was not possible: altered", temporary: true},
		"the server is gone":    {cause: lost, answers: []error{away}, tries: 1, says: "t: read rows: lost; resuming was not possible: away", temporary: true},
		"altered before it was": {cause: lost, before: 2, answers: []error{altered}, tries: 1, says: "t: read rows: lost; resuming was not possible: altered", temporary: true},
	} {
		tries, pauses, losses := 0, 0, tt.before
		l := &Loss{
			Attempts: Attempts{
				Most: 4, Log: slog.New(slog.DiscardHandler), Shorten: func(err error) error { return err },
				Pause: func(context.Context, time.Duration) error { pauses++; return nil },
			},
			Part: "t", Final: func(err error) bool { return errors.Is(err, altered) },
			Failed: func(err error) error {
				e := &source.Error{Err: fmt.Errorf("part t: %w", err)}
				if !errors.Is(err, refused) {
					e.Kind = source.ErrTemporary
				}
				return e
			},
		}
		_, err := Resume(t.Context(), l, &losses, tt.cause, func(context.Context, error) (int, error) {
			tries++
			return 0, tt.answers[min(tries, len(tt.answers))-1]
		})
		says := ""
		if err != nil {
			says = err.Error()
		}
		if says != tt.says || errors.Is(err, source.ErrTemporary) != tt.temporary || tries != tt.tries || pauses != tries {
			t.Errorf("%s: %v after %d tries and %d pauses", name, err, tries, pauses)
		}
	}
}
