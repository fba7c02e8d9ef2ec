package sqlread

import (
	"context"
	"log/slog"
	"sync"
)

// Snapshot is a session of a pool.
type Snapshot interface {
	comparable
	// Late reports whether its snapshot was taken after those of the run.
	Late() bool
	// HangUp closes its connection.
	HangUp()
}

// Pool holds the sessions of a run, each with its snapshot. Parts acquire and release them. Use
// [NewPool].
type Pool[S Snapshot] struct {
	changed chan struct{} // signals waiting callers that something may have changed

	mu     sync.Mutex
	idle   []S
	inUse  int
	closed bool
}

// NewPool creates a pool without sessions.
func NewPool[S Snapshot]() *Pool[S] { return &Pool[S]{changed: make(chan struct{}, 1)} }

// Take acquires a session, preferably one of those that the run began with; ok is false if there is none.
func (p *Pool[S]) Take() (s S, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.idle {
		if !s.Late() || i == len(p.idle)-1 {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.inUse++
			if len(p.idle) > 0 {
				p.signal()
			}
			return s, true
		}
	}
	return s, false
}

// Add counts a session that was opened for a part as acquired.
func (p *Pool[S]) Add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse++
}

// Put releases a session.
func (p *Pool[S]) Put(s S) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse--
	if p.closed {
		s.HangUp()
	} else {
		p.idle = append(p.idle, s)
	}
	p.signal()
}

// Drop forgets a session that was closed.
func (p *Pool[S]) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inUse--
	p.signal()
}

func (p *Pool[S]) signal() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// Wait acquires a session that another part releases; ok is false if no part holds one.
func (p *Pool[S]) Wait(ctx context.Context) (s S, ok bool, err error) {
	for {
		if s, ok := p.Take(); ok {
			return s, true, nil
		}
		p.mu.Lock()
		none := p.inUse == 0
		if none {
			p.signal()
		}
		p.mu.Unlock()
		if none {
			return s, false, nil
		}
		select {
		case <-p.changed:
		case <-ctx.Done():
			return s, false, ctx.Err()
		}
	}
}

// Acquire acquires a session: one of the pool, or if all are in use a new one, with open. If the
// server allows no further connection, which tooMany reports, it waits for one of the pool. used reports whether the
// session was in the pool.
func (p *Pool[S]) Acquire(ctx context.Context, open func(context.Context) (S, error), tooMany func(error) bool) (s S, used bool, err error) {
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

// AcquireExisting acquires a session for catalog queries. It waits for one of the pool instead of opening another, whose
// snapshot would be late, and opens one, as [Pool.Acquire] does, only if the pool has none.
func (p *Pool[S]) AcquireExisting(ctx context.Context, open func(context.Context) (S, error), tooMany func(error) bool) (s S, used bool, err error) {
	s, ok, err := p.Wait(ctx)
	if ok || err != nil {
		return s, true, err
	}
	return p.Acquire(ctx, open, tooMany)
}

// MostSnapshots is how many sessions a run begins with: the default of engine.readers.
const MostSnapshots = 4

// More opens sessions in addition to the first one, for so many parts: at most [MostSnapshots], and as many as the
// server allows, which tooMany reports. The returned sessions are open, even after an error.
func More[S Snapshot](ctx context.Context, first S, parts int, open func(context.Context) (S, error), tooMany func(error) bool, log *slog.Logger) ([]S, error) {
	sessions := []S{first}
	for len(sessions) < min(parts, MostSnapshots) {
		s, err := open(ctx)
		switch {
		case err == nil:
			sessions = append(sessions, s)
		case tooMany(err):
			log.Info("the server allows no more connections, so fewer tables are read concurrently", "connections", len(sessions))
			return sessions, nil
		default:
			return sessions, err
		}
	}
	return sessions, nil
}

// Close ends idle sessions, and acquired ones when they are released.
func (p *Pool[S]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.HangUp()
	}
	p.idle, p.closed = nil, true
}
