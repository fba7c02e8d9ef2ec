package sqlread

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
)

type fakeSession struct {
	late   bool
	closed bool
}

func (s *fakeSession) Late() bool { return s.late }
func (s *fakeSession) HangUp()    { s.closed = true }

// TestPoolPrefersTheRun: a snapshot of the run is used before a later one.
func TestPoolPrefersTheRun(t *testing.T) {
	t.Parallel()
	p := NewPool[*fakeSession]()
	late, early := &fakeSession{late: true}, &fakeSession{}
	for _, s := range []*fakeSession{late, early} {
		p.Add()
		p.Put(s)
	}
	if s, ok := p.Take(); !ok || s != early {
		t.Errorf("got %v", s)
	}
	if s, ok := p.Take(); !ok || s != late {
		t.Errorf("got %v", s)
	}
	if s, ok := p.Take(); ok {
		t.Errorf("got %v", s)
	}
}

// TestPoolWaits: a waiting caller gets a released session, or learns that there is none.
func TestPoolWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool[*fakeSession]()
		if _, ok, err := p.Wait(t.Context()); ok || err != nil {
			t.Errorf("there is none: got %v, %v", ok, err)
		}
		p.Add()
		p.Add()
		got := make(chan bool, 2)
		for range 2 {
			go func() {
				_, ok, _ := p.Wait(t.Context())
				got <- ok
			}()
		}
		synctest.Wait()
		p.Put(&fakeSession{})
		if !<-got {
			t.Error("the released one was not reused")
		}
		p.Drop() // the other is lost, the first still in use
		synctest.Wait()
		p.Drop()
		if <-got {
			t.Error("there was none left")
		}
		p.Add()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestPoolCloses: idle sessions end at once, those in use when they are released.
func TestPoolCloses(t *testing.T) {
	t.Parallel()
	p := NewPool[*fakeSession]()
	idle, used := &fakeSession{}, &fakeSession{}
	p.Add()
	p.Put(idle)
	p.Add()
	p.Close()
	if !idle.closed || used.closed {
		t.Errorf("idle %v, in use %v", idle.closed, used.closed)
	}
	if p.Put(used); !used.closed {
		t.Error("one that came back was not closed")
	}
}

// TestPoolSharesSessions acquires an idle session, a new one, and a released one where the server opens no more.
func TestPoolSharesSessions(t *testing.T) {
	t.Parallel()
	p := NewPool[*fakeSession]()
	full, broken := errors.New("full"), errors.New("broken")
	tooMany := func(err error) bool { return errors.Is(err, full) }
	opens := func(s *fakeSession, err error) func(context.Context) (*fakeSession, error) {
		return func(context.Context) (*fakeSession, error) { return s, err }
	}
	fresh := &fakeSession{}
	if s, used, err := p.Acquire(t.Context(), opens(fresh, nil), tooMany); s != fresh || used || err != nil {
		t.Errorf("a new one: got %v, %v, %v", s, used, err)
	}
	p.Put(fresh)
	if s, used, err := p.Acquire(t.Context(), opens(nil, broken), tooMany); s != fresh || !used || err != nil {
		t.Errorf("an idle one: got %v, %v, %v", s, used, err)
	}
	if _, _, err := p.Acquire(t.Context(), opens(nil, broken), tooMany); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	released := make(chan *fakeSession)
	go func() {
		s, _, _ := p.Acquire(t.Context(), opens(nil, full), tooMany)
		released <- s
	}()
	p.Put(fresh)
	if s := <-released; s != fresh {
		t.Errorf("one that came back: got %v", s)
	}
	p.Drop()
	if _, _, err := p.Acquire(t.Context(), opens(nil, full), tooMany); !errors.Is(err, full) {
		t.Errorf("there is none: got %v", err)
	}
}

// TestMore checks that it opens as many as there are parts and the server allows.
func TestMore(t *testing.T) {
	t.Parallel()
	full, broken := errors.New("full"), errors.New("broken")
	for name, tt := range map[string]struct {
		parts, allowed int
		err            error
		want           int
		fails          bool
	}{
		"no parts":               {parts: 0, allowed: 9, want: 1},
		"two parts":              {parts: 2, allowed: 9, want: 2},
		"many parts":             {parts: 100, allowed: 9, want: MostSnapshots},
		"the server has no more": {parts: 100, allowed: 2, err: full, want: 2},
		"the server is gone":     {parts: 100, allowed: 3, err: broken, want: 3, fails: true},
	} {
		open := 1
		got, err := More(t.Context(), &fakeSession{}, tt.parts, func(context.Context) (*fakeSession, error) {
			if open == tt.allowed {
				return nil, tt.err
			}
			open++
			return &fakeSession{}, nil
		}, func(err error) bool { return errors.Is(err, full) }, slog.New(slog.DiscardHandler))
		if len(got) != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %d sessions, %v", name, len(got), err)
		}
	}
}
