package oracle

import (
	"context"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// reader is a table being read.
type reader struct {
	db      *database
	session *session
	moment  moment // that it is read as of
	result  *sqlread.Cursor
	table   *table
	row     *sqlread.Row
	query   bool              // it reads a query, whose rows may lack a key
	keyless int64             // rows that were left out because they do
	at      *sqlread.Position // nil where it is not possible to go on after a loss
}

// rows yields what comes. It returns whether the loop was left early, and why no more can come of
// this connection.
func (r *reader) rows(ctx context.Context, yield func(document.Document, error) bool) (left bool, lost error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if more, err := r.result.Next(); !more {
			return false, err
		}
		if r.at != nil {
			r.at.Advance(r.table.Key, r.result.Row)
		}
		if r.query && r.table.Keyless(r.result.Row) {
			r.keyless++
			continue
		}
		if !yield(r.row.Document(r.result.Row), nil) {
			return true, nil
		}
	}
}

// abandon gives the session back, or ends it where the statement may go on. One whose rows nobody wants
// any more is closed: that takes no rows from the server.
func (r *reader) abandon(ctx context.Context, left bool, lost error) {
	if left || answered(lost) {
		if err := r.result.Close(); left && err != nil {
			lost = err
		}
	}
	r.db.giveBack(ctx, r.session, lost)
}

// open begins to read.
func (p *part) open(ctx context.Context) (*reader, error) {
	r, err := p.openNext(ctx, nil, nil)
	return r, p.failed("begin to read", err)
}

// failed is [part.tableError], and nil where there is no error.
func (p *part) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return p.tableError(doing, err)
}

// openNext begins to read on the next session, see [part.openOn]. Those that were lost while nobody used them
// are passed over.
func (p *part) openNext(ctx context.Context, before *reader, cause error) (*reader, error) {
	for {
		s, used, err := p.db.session(ctx)
		if err != nil {
			return nil, err
		}
		r, err := p.openOn(ctx, s, before, cause)
		if err == nil || !used || !hungUp(err) || ctx.Err() != nil {
			return r, err
		}
	}
}

// openOn begins to read on a session; where before is given, behind its position and as it did, unless cause
// says that this is not possible any more. When that fails, the session was given back.
func (p *part) openOn(ctx context.Context, s *session, before *reader, cause error) (_ *reader, err error) {
	r := &reader{db: p.db, session: s, query: p.rule != nil, moment: p.db.moment}
	defer func() {
		if err != nil {
			p.db.giveBack(ctx, s, err)
		}
	}()
	if p.rule != nil {
		r.moment = moment{} // there is no place in a query of others to say of when it is
	} else if err := p.prepare(ctx, r, before); err != nil {
		return nil, err
	}
	if before != nil {
		r.moment = before.moment
	}
	if outdated(cause) {
		if err := p.later(ctx, r, cause); err != nil {
			return nil, err
		}
	}
	var refused error
	for n := 0; ; n++ {
		err := p.begin(ctx, r)
		switch {
		case err == nil:
			p.readApart(r, refused)
			return r, nil
		case n == mostMoments:
			return nil, err
		case r.moment.scn != "" && noFlashback(err):
			refused, r.moment = err, moment{}
		case outdated(err) && !r.moment.alone:
			if err := p.later(ctx, r, err); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// mostMoments is how many moments are tried, one after the other, until the server takes one.
const mostMoments = 3

// prepare finds out how a table is read. The catalogue is asked within the transaction, which may have become
// too old for that.
func (p *part) prepare(ctx context.Context, r, before *reader) (err error) {
	r.table, err = p.describe(ctx, r.session)
	if outdated(err) {
		r.session.late = true
		if err = r.session.begin(ctx); err == nil {
			r.table, err = p.describe(ctx, r.session)
		}
	}
	if err != nil {
		return err
	}
	if before == nil {
		r.row, r.at = p.newRow(r.table), r.table.Start()
		return nil
	}
	if !r.table.Like(before.table) {
		return sqlread.ErrTableChanged
	}
	r.row, r.at = before.row, before.at
	return nil
}

// begin sends the statement.
func (p *part) begin(ctx context.Context, r *reader) error {
	if err := r.moment.enter(ctx, r.session); err != nil {
		return err
	}
	if p.rule != nil {
		return p.openQuery(ctx, r)
	}
	query, args := p.query(r.table, r.moment, r.at)
	var err error
	r.result, err = sqlread.Open(ctx, &r.session.Conn, query, args)
	return err
}

// later moves on to a moment that the server still knows.
func (p *part) later(ctx context.Context, r *reader, cause error) (err error) {
	p.db.log.Warn("the server cannot give the table as of the beginning of the run any more, so it is read, or read on, as of now", "part", p.Name(), "late", true, "err", told(cause))
	r.moment, err = p.db.later(ctx, r.session, r.moment, cause)
	return err
}

// goOn goes on behind the last row that came, on another connection, or as of another moment. cause is why
// the connection, or the moment, before is of no more use.
func (p *part) goOn(ctx context.Context, r *reader, cause error) (*reader, error) {
	failed := func(err error) error { return p.tableError("read rows", err) }
	if r.at == nil || !canCompare(r.at) || code(cause) == codeInterrupted {
		return nil, failed(cause)
	}
	l := &link.Loss{Attempts: p.db.attempts(), Part: p.Name(), Failed: failed, Final: changed}
	return link.GoOn(ctx, l, &r.at.Losses, cause, func(ctx context.Context, cause error) (*reader, error) { return p.openNext(ctx, r, cause) })
}
