package oracle

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// moment is the state that a statement reads. It is one of three, each weaker than the previous one: a system
// change number, the same in all of the run; "", the beginning of the session's transaction; or the beginning
// of the statement itself, outside any transaction.
type moment string

const momentary moment = "of the statement"

// clause follows the name of the table that is read.
func (m moment) clause() string {
	if m == "" || m == momentary {
		return ""
	}
	return " AS OF SCN " + string(m)
}

// enter makes the session read as of the moment.
func (m moment) enter(ctx context.Context, s *session) error {
	if m == momentary {
		return s.leave(ctx)
	}
	return nil
}

// readApart logs, once each, that not all parts are read as of the run's moment. refused is why
// reading as of a change number is impossible; nil if the server did not say so.
func (d *database) readApart(r *reader, refused error) {
	p := r.Part
	if refused != nil && !d.refusedSCN.Swap(true) {
		d.Log.Info("reading a table in a transaction instead of as of a change number; its snapshot may be some milliseconds apart from that of the run",
			"part", p.Name(), "err", verdicts.Shorten(refused), "grant", fmt.Sprintf("GRANT FLASHBACK ON %s TO %s;", fromOf(&p.Rel), quote.Ident(d.set.owner)))
	}
	if r.Moment == "" && r.Session.Late() {
		d.ReadApart()
	}
}

// later is a moment after m, as of now: for a part whose own is too long ago, or was before the table
// was altered. The database keeps old row versions only for a while, and no change number from before
// the alteration is valid for the table, nor one from the seconds after it.
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

// Restore begins the transaction of a session again after the session has left it.
func (d *database) Restore(ctx context.Context, s *session) bool {
	if s.begun {
		return true
	}
	s.AfterRun = true
	return s.begin(ctx) == nil
}

// Usable reports whether the last error of a session is the server's own, which means that the statement has ended, or
// one of this program.
func (d *database) Usable(_ context.Context, _ *session, err error) bool {
	_, ours := errors.AsType[*source.Error](err)
	return err == nil || ours || answered(err) && !hungUp(err)
}

// End ends a session, and any statement it is still running.
func (d *database) End(_ context.Context, s *session) { s.end() }

// Enter implements [sqlread.Dialect].
func (d *database) Enter(ctx context.Context, s *session) error { return s.begin(ctx) }

// changed reports whether a table was altered since the moment of the read.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeTableChanged
}
