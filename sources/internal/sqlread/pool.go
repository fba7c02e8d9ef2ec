package sqlread

import (
	"context"
	"log/slog"
	"sync"
)

// Snapshot is a session that a pool lends.
type Snapshot interface {
	comparable
	// Late reports whether its snapshot was taken after those of the run.
	Late() bool
	// HangUp closes its connection.
	HangUp()
}

// Pool are the sessions of a run, each with its snapshot all along. They are lent to the parts. Use
// [NewPool].
type Pool[S Snapshot] struct {
	given chan struct{} // holds one when something may have changed for those who wait

	mu     sync.Mutex
	idle   []S
	lent   int
	closed bool
}

// NewPool makes a pool that has no session yet.
func NewPool[S Snapshot]() *Pool[S] { return &Pool[S]{given: make(chan struct{}, 1)} }

// Take lends a session, rather one of those that the run began with; none when there is none.
func (p *Pool[S]) Take() (s S, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.idle {
		if !s.Late() || i == len(p.idle)-1 {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.lent++
			if len(p.idle) > 0 {
				p.tell()
			}
			return s, true
		}
	}
	return s, false
}

// Add counts a session that was opened for a part, as one that is lent.
func (p *Pool[S]) Add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent++
}

// Put takes a session back.
func (p *Pool[S]) Put(s S) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
	if p.closed {
		s.HangUp()
	} else {
		p.idle = append(p.idle, s)
	}
	p.tell()
}

// Drop forgets a session that was closed.
func (p *Pool[S]) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
	p.tell()
}

func (p *Pool[S]) tell() {
	select {
	case p.given <- struct{}{}:
	default:
	}
}

// Wait lends a session that somebody gives back; none where nobody has one.
func (p *Pool[S]) Wait(ctx context.Context) (s S, ok bool, err error) {
	for {
		if s, ok := p.Take(); ok {
			return s, true, nil
		}
		p.mu.Lock()
		none := p.lent == 0
		if none {
			p.tell()
		}
		p.mu.Unlock()
		if none {
			return s, false, nil
		}
		select {
		case <-p.given:
		case <-ctx.Done():
			return s, false, ctx.Err()
		}
	}
}

// Lend lends a session: one of the pool, or a new one, which open opens, when all are in use. Where the
// server has no connection left, which tooMany tells, it waits for one of the pool. used reports whether it was
// in the pool.
func (p *Pool[S]) Lend(ctx context.Context, open func(context.Context) (S, error), tooMany func(error) bool) (s S, used bool, err error) {
	if s, ok := p.Take(); ok {
		return s, true, nil
	}
	if s, err = open(ctx); err == nil {
		p.Add()
		return s, false, nil
	}
	if !tooMany(err) {
		return s, false, err
	}
	s, ok, waiting := p.Wait(ctx)
	switch {
	case waiting != nil:
		return s, false, waiting
	case !ok:
		return s, false, err
	}
	return s, true, nil
}

// Borrow lends a session to ask the catalogue with. It waits for one of the pool rather than open another, whose
// snapshot would be a late one, and does open one, as [Pool.Lend] does, where the pool has none.
func (p *Pool[S]) Borrow(ctx context.Context, open func(context.Context) (S, error), tooMany func(error) bool) (s S, used bool, err error) {
	s, ok, err := p.Wait(ctx)
	if ok || err != nil {
		return s, true, err
	}
	return p.Lend(ctx, open, tooMany)
}

// MostSnapshots is how many sessions of a pool begin a run: as many as there are readers unless engine.readers
// says otherwise.
const MostSnapshots = 4

// More opens sessions beside a first one, for so many parts: [MostSnapshots] at the most, and as far as the
// server allows, which tooMany tells. Those that it returns are open, also with an error.
func More[S Snapshot](ctx context.Context, first S, parts int, open func(context.Context) (S, error), tooMany func(error) bool, log *slog.Logger) ([]S, error) {
	sessions := []S{first}
	for len(sessions) < min(parts, MostSnapshots) {
		s, err := open(ctx)
		switch {
		case err == nil:
			sessions = append(sessions, s)
		case tooMany(err):
			log.Info("the server allows no more connections, so fewer tables are read at a time", "connections", len(sessions))
			return sessions, nil
		default:
			return sessions, err
		}
	}
	return sessions, nil
}

// Close ends the sessions that nobody uses, and those that are lent once they are given back.
func (p *Pool[S]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.HangUp()
	}
	p.idle, p.closed = nil, true
}
