package oracle

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// moment is what a statement reads as of. It is one of three, each weaker than the one before: a system
// change number, the same for the whole run; "", the beginning of the session's transaction; or the beginning
// of the statement itself, which has no transaction to be part of.
type moment string

const momentary moment = "of the statement"

// clause is what stands behind the table that is read.
func (m moment) clause() string {
	if m == "" || m == momentary {
		return ""
	}
	return " AS OF SCN " + string(m)
}

// enter makes the session one that reads as of the moment.
func (m moment) enter(ctx context.Context, s *session) error {
	if m == momentary {
		return s.leave(ctx)
	}
	return nil
}

// readApart says, once each, that not all is read as of the moment that the run began with. refused is why
// there is no reading as of a change number; nil where there was no such answer.
func (d *database) readApart(r *reader, refused error) {
	p := r.Part
	if refused != nil && !d.refusedSCN.Swap(true) {
		d.Log.Info("a table cannot be read as of a change number, so it is read in a transaction, whose snapshot may be some milliseconds apart from that of the run",
			"part", p.Name(), "err", told(refused), "grant", fmt.Sprintf("GRANT FLASHBACK ON %s TO %s;", fromOf(&p.Rel), quote.Ident(d.set.owner)))
	}
	if r.Moment == "" && r.Session.Late() {
		d.ReadApart()
	}
}

// later is a moment after m, as of now: for a part whose own is too long ago, or was before the table
// became what it is. The database keeps what rows were for a while only, and no change number from before
// a table was altered is good for it, nor one from the seconds behind that.
func (d *database) later(ctx context.Context, s *session, m moment, err error) (moment, error) {
	switch {
	case changed(err):
		return momentary, nil
	case m == momentary:
		return m, nil
	case m == "":
		s.AfterRun = true
		return m, s.begin(ctx)
	}
	scn, err := s.scn(ctx)
	if err == nil && scn == "" {
		return momentary, nil
	}
	return moment(scn), err
}

// Restore begins the transaction of a session again that has left it.
func (d *database) Restore(ctx context.Context, s *session) bool {
	if s.begun {
		return true
	}
	s.AfterRun = true
	return s.begin(ctx) == nil
}

// Usable reports whether the last word of a session is the server's own, which says that the statement has ended, or
// an error of ours.
func (d *database) Usable(_ context.Context, _ *session, err error) bool {
	_, ours := errors.AsType[*source.Error](err)
	return err == nil || ours || answered(err) && !hungUp(err)
}

// End ends a session, and what it may still be running.
func (d *database) End(_ context.Context, s *session) { s.end() }

// Enter implements [sqlread.Dialect].
func (d *database) Enter(ctx context.Context, s *session) error { return s.begin(ctx) }

// changed reports whether a table was altered since the moment that it is read as of.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeTableChanged
}
