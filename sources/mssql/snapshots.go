package mssql

import "context"

// session lends a session with a snapshot: one of the run, or a new one, which takes it later, when all are in
// use. Where the server has no connection left, it waits for one of the run. A plain one has no snapshot, and
// is new.
func (d *database) session(ctx context.Context, plain bool) (s *session, used bool, err error) {
	if plain && d.snapshot {
		if s, err = d.connect(ctx); err == nil {
			s.late, s.plain = true, true
			d.snapshots.Add()
		}
		return s, false, err
	}
	return d.snapshots.Lend(ctx, d.openLate, tooMany)
}

// openLate opens a session whose snapshot is taken later than those of the run.
func (d *database) openLate(ctx context.Context) (*session, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.late = true
	if d.snapshot {
		d.readApart()
	}
	return s, nil
}

// enter begins the transaction of a session that was opened for a part, once the part was described. What
// is read next takes the snapshot.
func (d *database) enter(ctx context.Context, s *session) error {
	if !d.snapshot || s.plain || s.inside {
		return nil
	}
	return s.begin(ctx)
}

// readApart says, once, that not all is read from the snapshots that the run began with.
func (d *database) readApart() {
	if !d.apart.Swap(true) {
		d.log.Warn("a part is read from a snapshot that was taken later than those of the run, because these are in use or lost")
	}
}

// release gives a session back that has done what it was asked for. Nobody else has use for a plain one.
func (d *database) release(s *session) {
	if s.plain {
		d.discard(s)
		return
	}
	d.snapshots.Put(s)
}

// giveBack gives a session back of which err was the last word. It can be used again where that is none of
// the connection, unless the error ended its transaction.
func (d *database) giveBack(ctx context.Context, s *session, err error) {
	if goesOn(err) && s.alive(ctx) {
		d.release(s)
		return
	}
	d.discard(s)
}

// discard ends a session. The server ends what it was running when the connection closes.
func (d *database) discard(s *session) {
	s.HangUp()
	d.snapshots.Drop()
}
