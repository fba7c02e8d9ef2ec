package sqlread

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

type fakeSession struct {
	late   bool
	closed bool
}

func (s *fakeSession) Late() bool { return s.late }
func (s *fakeSession) HangUp()    { s.closed = true }

// TestPoolPrefersTheRun: a snapshot of the run is lent before a later one.
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

// TestPoolWaits: who waits gets what is given back, and learns that nobody has any.
func TestPoolWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool[*fakeSession]()
		if _, ok, err := p.Wait(t.Context()); ok || err != nil {
			t.Errorf("nobody has one: got %v, %v", ok, err)
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
			t.Error("the one that was given back was not lent")
		}
		p.Drop() // the other is lost, the first still lent
		synctest.Wait()
		p.Drop()
		if <-got {
			t.Error("there was none left to lend")
		}
		p.Add()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestPoolCloses: idle sessions end at once, lent ones when they come back.
func TestPoolCloses(t *testing.T) {
	t.Parallel()
	p := NewPool[*fakeSession]()
	idle, lent := &fakeSession{}, &fakeSession{}
	p.Add()
	p.Put(idle)
	p.Add()
	p.Close()
	if !idle.closed || lent.closed {
		t.Errorf("idle %v, lent %v", idle.closed, lent.closed)
	}
	if p.Put(lent); !lent.closed {
		t.Error("one that came back was not closed")
	}
}
