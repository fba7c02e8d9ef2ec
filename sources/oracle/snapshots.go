package oracle

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// moment is what a statement reads as of. It is one of three, each weaker than the one before: a system
// change number, the same for the whole run; the beginning of the session's transaction; or the beginning
// of the statement itself.
type moment struct {
	scn   string // "" for none
	alone bool   // the statement has no transaction to be part of
}

// clause is what stands behind the table that is read.
func (m moment) clause() string {
	if m.scn == "" {
		return ""
	}
	return " AS OF SCN " + m.scn
}

// enter makes the session one that reads as of the moment.
func (m moment) enter(ctx context.Context, s *session) error {
	if m.alone {
		return s.leave(ctx)
	}
	return nil
}

// session lends a session: one of the run, or a new one when all are in use. Where the server has no
// connection left, it waits for one of the run.
func (d *database) session(ctx context.Context) (s *session, used bool, err error) {
	return d.snapshots.Lend(ctx, d.openLate, tooMany)
}

// openLate opens a session whose transaction begins now.
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
	return s, nil
}

// readApart says, once each, that not all is read as of the moment that the run began with. refused is why
// there is no reading as of a change number; nil where there was no such answer.
func (p *part) readApart(r *reader, refused error) {
	if refused != nil && !p.db.refusedSCN.Swap(true) {
		p.db.log.Info("a table cannot be read as of a change number, so it is read in a transaction, whose snapshot may be some milliseconds apart from that of the run",
			"part", p.Name(), "err", told(refused), "grant", fmt.Sprintf("GRANT FLASHBACK ON %s TO %s;", p.from(), quote.Ident(p.db.set.owner)))
	}
	if r.moment == (moment{}) && r.session.late && !p.db.apart.Swap(true) {
		p.db.log.Warn("a part is read from a snapshot that was taken later than those of the run, because these are in use or lost")
	}
}

// later is a moment after m, as of now: for a part whose own is too long ago, or was before the table
// became what it is. The database keeps what rows were for a while only, and no change number from before
// a table was altered is good for it, nor one from the seconds behind that.
func (d *database) later(ctx context.Context, s *session, m moment, err error) (moment, error) {
	switch {
	case changed(err):
		return moment{alone: true}, nil
	case m.alone:
		return m, nil
	case m.scn == "":
		s.late = true
		return m, s.begin(ctx)
	}
	scn, err := s.scn(ctx)
	if err == nil && scn == "" {
		return moment{alone: true}, nil
	}
	return moment{scn: scn}, err
}

// giveBack gives a session back of which err was the last word: the server's own says that the statement
// has ended, and the session can be used again. So it can after an error of ours.
func (d *database) giveBack(ctx context.Context, s *session, err error) {
	_, ours := errors.AsType[*source.Error](err)
	if err == nil || ours || answered(err) && !hungUp(err) {
		d.release(ctx, s)
		return
	}
	d.discard(s)
}

// release gives a session back that has done what it was asked for.
func (d *database) release(ctx context.Context, s *session) {
	if !s.begun {
		s.late = true
		if err := s.begin(ctx); err != nil {
			d.discard(s)
			return
		}
	}
	d.snapshots.Put(s)
}

// discard ends a session, and what it may still be running.
func (d *database) discard(s *session) {
	s.end()
	d.snapshots.Drop()
}

// changed reports whether a table was altered since the moment that it is read as of.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeTableChanged
}
