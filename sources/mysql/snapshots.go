package mysql

import "context"

// session lends a session with a snapshot: one of the run, or a new one when all are in use. Where the
// server has no connection left, it waits for one of the run.
func (d *database) session(ctx context.Context) (s *session, used bool, err error) {
	return d.snapshots.Lend(ctx, d.openLate, tooMany)
}

// openLate opens a session whose snapshot is taken now.
func (d *database) openLate(ctx context.Context) (*session, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil {
		s.HangUp()
		return nil, askError("begin a transaction", err)
	}
	s.late = true
	d.readApart()
	return s, nil
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
	d.snapshots.Put(s)
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
	d.snapshots.Drop()
}
