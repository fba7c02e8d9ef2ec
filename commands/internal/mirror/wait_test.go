package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/state"
)

func waiting(o *Options) (*session, *bytes.Buffer) {
	log := &bytes.Buffer{}
	c := &console{o: o, messages: &logs.Messages{To: log}, log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	return &session{console: c, app: &setup.App{Now: time.Now}}, log
}

// TestTheJitterIsRandomAndBounded: the duration of a run does not include it.
func TestTheJitterIsRandomAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = time.Hour
		took := map[time.Duration]bool{}
		for range 20 {
			s, log := waiting(&Options{Jitter: most})
			began := time.Now()
			if err := s.delay(t.Context()); err != nil {
				t.Fatal(err)
			}
			d := time.Since(began)
			if d > most || !s.started.Equal(time.Now()) || !bytes.Contains(log.Bytes(), []byte("level=DEBUG")) {
				t.Errorf("took %v, started at %v, log %s", d, s.started, log)
			}
			took[d] = true
		}
		if len(took) < 10 {
			t.Errorf("20 delays had only %d lengths", len(took))
		}
	})
}

// TestAwaitLock: attempts are never further apart than a second, end with --lock-wait, with the context, with the
// lock, and with any other error.
func TestAwaitLock(t *testing.T) {
	t.Parallel()
	locked, other := fmt.Errorf("index: %w", state.ErrLocked), errors.New("disk full")
	for name, tt := range map[string]struct {
		wait   time.Duration
		ends   time.Duration // when the context ends
		until  time.Duration // --max-duration
		free   time.Duration // when the other run ends, and with what
		err    error
		want   error
		least  time.Duration
		most   time.Duration
		waited bool
	}{
		"no wait":        {free: time.Hour, want: locked},
		"free":           {wait: time.Minute},
		"another error":  {wait: time.Minute, err: other, want: other},
		"free in time":   {wait: time.Minute, free: 10 * time.Second, least: 10 * time.Second, most: 11 * time.Second, waited: true},
		"an error later": {wait: time.Minute, free: 10 * time.Second, err: other, want: other, least: 10 * time.Second, most: 11 * time.Second, waited: true},
		"free too late":  {wait: time.Minute, free: time.Hour, want: locked, least: 59 * time.Second, most: time.Minute, waited: true},
		"a time limit":   {wait: time.Hour, until: 10 * time.Second, free: time.Hour, want: engine.ErrTimeIsUp, least: 10 * time.Second, most: 10 * time.Second, waited: true},
		"a signal":       {wait: time.Hour, ends: 10 * time.Second, free: time.Hour, want: context.Canceled, least: 10 * time.Second, most: 10 * time.Second, waited: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if tt.ends > 0 {
					time.AfterFunc(tt.ends, stop)
				}
				s, _ := waiting(&Options{LockWait: tt.wait})
				if tt.until > 0 {
					var stop context.CancelFunc
					s.until, stop = context.WithTimeout(t.Context(), tt.until)
					defer stop()
				}
				began, last := time.Now(), time.Now()
				waited, err := s.awaitLock(ctx, func() error {
					if time.Since(last) > time.Second {
						t.Errorf("%v without an attempt", time.Since(last))
					}
					last = time.Now()
					if time.Since(began) < tt.free {
						return locked
					}
					return tt.err
				})
				if took := time.Since(began); !errors.Is(err, tt.want) || waited != tt.waited || took < tt.least || took > tt.most {
					t.Errorf("%v after %v, waited %t", err, took, waited)
				}
			})
		})
	}
}
