package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// reader is a table being read.
type reader struct {
	db      *database
	session *session
	result  *sqlread.Cursor
	table   *table
	row     *row
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
		if !yield(r.row.document(r.result.Row), nil) {
			return true, nil
		}
	}
}

// abandon gives the session back, or ends it where the statement may go on.
func (r *reader) abandon(ctx context.Context, lost error) {
	if code(lost) != 0 {
		_ = r.result.Close() // the error was its end
	}
	r.db.giveBack(ctx, r.session, lost)
}

// changed reports whether a table was altered since the snapshot was taken.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeTableChanged
}

// open begins to read: from a snapshot of the run, or from one of its own where the table was altered
// since.
func (p *part) open(ctx context.Context) (*reader, error) {
	r, err := p.openNext(ctx, nil)
	switch {
	case err == nil || !changed(err):
		return r, p.failed("begin to read", err)
	case p.span != nil:
		return nil, &source.Error{
			Kind: source.ErrTemporary, Part: p.Name(), Err: fmt.Errorf("begin to read: %w", told(err)),
			Hint: "nothing of the table is deleted; run again",
		}
	}
	p.db.log.Warn("the table changed since the run began, so it is read as of now", "part", p.Name())
	s, err := p.db.connect(ctx)
	if err != nil {
		return nil, p.failed("connect", err)
	}
	p.db.snapshots.Add()
	s.late = true
	if err := s.begin(ctx); err != nil {
		p.db.discard(ctx, s)
		return nil, p.failed("begin a transaction", err)
	}
	r, err = p.openOn(ctx, s, nil)
	return r, p.failed("begin to read", err)
}

// failed is [part.tableError], and nil where there is no error.
func (p *part) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return p.tableError(doing, err)
}

// openNext begins to read on the next session. Those that were lost while nobody used them are passed
// over.
func (p *part) openNext(ctx context.Context, before *reader) (*reader, error) {
	for {
		s, used, err := p.db.session(ctx)
		if err != nil {
			return nil, err
		}
		r, err := p.openOn(ctx, s, before)
		if err == nil || !used || !hungUp(err) || ctx.Err() != nil {
			return r, err
		}
	}
}

// openOn begins to read on a session; where before is given, behind its position and as it did. When
// that fails, the session was given back.
func (p *part) openOn(ctx context.Context, s *session, before *reader) (_ *reader, err error) {
	r := &reader{db: p.db, session: s, query: p.rule != nil}
	defer func() {
		if err != nil {
			p.db.giveBack(ctx, s, err)
		}
	}()
	if p.rule != nil {
		err = p.openQuery(ctx, r)
		return r, err
	}
	if r.table, err = p.describe(ctx, s); err != nil {
		return nil, err
	}
	if before == nil {
		r.row, r.at = p.newRow(r.table), r.table.Start()
		p.warn()
	} else {
		if !r.table.Like(before.table) {
			return nil, sqlread.ErrTableChanged
		}
		r.row, r.at = before.row, before.at
	}
	query, args := p.query(r.table, r.at)
	r.result, err = sqlread.Open(ctx, &s.Conn, query, args)
	return r, err
}

// warn says what is odd about a table, once.
func (p *part) warn() {
	if p.first() && p.rel.isTable() && !p.rel.hasSnapshots() {
		p.db.log.Info("the table's storage has no snapshots, so it is read as it is while it is read", "part", p.scope, "engine", p.rel.engine)
	}
}

// goOn goes on behind the last row that came, on another connection: in the snapshot of the run where one
// of it is idle, or else in a new one. cause is why the connection before is of no more use.
func (p *part) goOn(ctx context.Context, r *reader, cause error) (*reader, error) {
	failed := func(err error) error { return p.tableError("read rows", err) }
	if r.at == nil || !canCompare(r.table, r.at) || code(cause) == codeInterrupted {
		return nil, failed(cause)
	}
	l := &link.Loss{Attempts: p.db.attempts(), Part: p.Name(), Failed: failed, Final: changed}
	return link.GoOn(ctx, l, &r.at.Losses, cause, func(ctx context.Context, _ error) (*reader, error) { return p.openNext(ctx, r) })
}
