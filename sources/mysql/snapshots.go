package mysql

import (
	"context"
	"sync"
)

// snapshots are the sessions of a run, each with its snapshot all along. They are lent to the parts.
type snapshots struct {
	given chan struct{} // holds one when something may have changed for those who wait

	mu     sync.Mutex
	idle   []*session
	lent   int
	closed bool
}

// take lends a session, rather one of those that the run began with; nil when there is none.
func (p *snapshots) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.idle {
		if !s.late || i == len(p.idle)-1 {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.lent++
			if len(p.idle) > 0 {
				p.tell()
			}
			return s
		}
	}
	return nil
}

// add counts a session that was opened for a part.
func (p *snapshots) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent++
}

// put takes a session back.
func (p *snapshots) put(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
	if p.closed {
		s.hangUp()
	} else {
		p.idle = append(p.idle, s)
	}
	p.tell()
}

// drop forgets a session that was closed.
func (p *snapshots) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
	p.tell()
}

func (p *snapshots) tell() {
	select {
	case p.given <- struct{}{}:
	default:
	}
}

// wait lends a session that somebody gives back; nil where nobody has one.
func (p *snapshots) wait(ctx context.Context) (*session, error) {
	for {
		if s := p.take(); s != nil {
			return s, nil
		}
		p.mu.Lock()
		none := p.lent == 0
		if none {
			p.tell()
		}
		p.mu.Unlock()
		if none {
			return nil, nil
		}
		select {
		case <-p.given:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// close ends the sessions that nobody uses.
func (p *snapshots) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.idle {
		s.hangUp()
	}
	p.idle, p.closed = nil, true
}

// session lends a session with a snapshot: one of the run, or a new one when all are in use. Where the
// server has no connection left, it waits for one of the run.
func (d *database) session(ctx context.Context) (s *session, used bool, err error) {
	if s := d.snapshots.take(); s != nil {
		return s, true, nil
	}
	s, err = d.connect(ctx)
	if err == nil {
		if err = s.begin(ctx); err != nil {
			s.hangUp()
			return nil, false, askError("begin a transaction", err)
		}
		s.late = true
		d.snapshots.add()
		d.readApart()
		return s, false, nil
	}
	if !tooMany(err) {
		return nil, false, err
	}
	s, waiting := d.snapshots.wait(ctx)
	if waiting != nil {
		return nil, false, waiting
	}
	if s == nil {
		return nil, false, err
	}
	return s, true, nil
}

// readApart says, once, that not all is read from the snapshots that the run began with.
func (d *database) readApart() {
	if !d.apart.Swap(true) {
		d.log.Warn("a part is read from a snapshot that was taken later than those of the run, because these are in use or lost")
	}
}

// release gives a session back that has done what it was asked for.
func (d *database) release(ctx context.Context, s *session) {
	if err := s.leave(ctx); err != nil {
		d.discard(ctx, s)
		return
	}
	d.snapshots.put(s)
}

// giveBack gives a session back of which err was the last word: the server's own says that the statement
// has ended, and the session can be used again.
func (d *database) giveBack(ctx context.Context, s *session, err error) {
	if code(err) != 0 {
		d.release(ctx, s)
		return
	}
	d.discard(ctx, s)
}

// discard ends a session, and what it may still be running.
func (d *database) discard(ctx context.Context, s *session) {
	d.end(ctx, s)
	d.snapshots.drop()
}
