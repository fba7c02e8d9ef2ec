package mssql

import "context"

// Acquire implements [sqlread.Dialect]. Tables that no snapshot can hold are read on a new, plain session without one.
func (d *database) Acquire(ctx context.Context, p *part) (s *session, used bool, err error) {
	if !p.Rel.Unversioned || !d.snapshot {
		return d.Database.Acquire(ctx, p)
	}
	if s, err = d.Connect(ctx); err == nil {
		s.AfterRun, s.plain = true, true
		d.Snapshots.Add()
	}
	return s, false, err
}

// Late opens a session whose snapshot is later than those of the run.
func (d *database) Late(ctx context.Context) (*session, error) {
	s, err := d.Database.Late(ctx)
	if err == nil && d.snapshot {
		d.ReadApart()
	}
	return s, err
}

// enter begins the transaction of a session that was opened for a part, after the part was described. The next
// read takes the snapshot.
func (d *database) enter(ctx context.Context, s *session) error {
	if !d.snapshot || s.plain || s.inside {
		return nil
	}
	return s.begin(ctx)
}

// Restore implements [sqlread.Dialect]. Other parts have no use for a plain session.
func (d *database) Restore(_ context.Context, s *session) bool { return !s.plain }

// Usable reports whether the connection survived an error, with its transaction.
func (d *database) Usable(ctx context.Context, s *session, err error) bool {
	return keepsConnection(err) && s.alive(ctx)
}

// End ends a session. The server ends its statement when the connection closes.
func (d *database) End(_ context.Context, s *session) { s.HangUp() }

// Enter implements [sqlread.Dialect]: rules are checked without a transaction, and a late session begins its own after the
// part was described, see [database.enter].
func (d *database) Enter(context.Context, *session) error { return nil }
