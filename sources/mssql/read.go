package mssql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// reader is a table being read.
type reader struct {
	db      *database
	session *session
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
		more, err := r.result.Next()
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err != nil:
			return false, err
		case !more && r.query && followed(r.result.Rows()):
			return false, form.ConfigError(fmt.Errorf("query: %w", errSeveral), oneSelectHint)
		case !more:
			return false, nil
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

// followed reports whether there is another result behind one.
func followed(rows driver.Rows) bool {
	several, ok := rows.(driver.RowsNextResultSet)
	return ok && several.HasNextResultSet()
}

// abandon gives the session back, or ends it where the statement may go on.
func (r *reader) abandon(ctx context.Context, lost error) {
	_ = r.result.Close() // ends the statement; what lost says is the error that counts
	r.db.giveBack(ctx, r.session, lost)
}

var (
	// errTableGone says that the catalogue has no columns of a table that it had before.
	errTableGone = errors.New("the table does not exist, or the user may not know of it")
)

// changed reports whether a table was altered since the snapshot was taken.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeAltered
}

// outside reports whether something can be read outside of snapshots only: a table in memory, a FileTable, what a
// linked server has, a columnstore of an old server, or a table of another database that allows none, which a view
// or a query has.
func outside(err error) bool {
	return slices.Contains([]int32{codeInMemory, codeNoSnapshots, codeFileTable, codeDistributed, codeDistributed2, codeNoColumnstore}, code(err))
}

// open begins to read: from a snapshot of the run, or from one of its own where the table was altered
// since, or without one where it has none.
func (p *part) open(ctx context.Context) (*reader, error) {
	if p.rule != nil {
		if err := p.onlyReads(); err != nil {
			return nil, err
		}
	}
	r, err := p.openFirst(ctx)
	switch {
	case outside(err) && !p.rel.memory:
		if c := code(err); c != codeInMemory && c != codeNoSnapshots {
			p.db.log.Warn("no snapshot can hold the table, so it is read as it is while it is read", "part", p.Name(), "err", told(err))
		}
		p.rel.memory, p.rel.locks = true, code(err) == codeFileTable
		r, err = p.openFirst(ctx)
	case changed(err):
		p.db.log.Warn("the table changed since the run began, so it is read as of now", "part", p.Name())
		r, err = p.openNow(ctx)
	}
	if err != nil {
		return nil, p.tableError("begin to read", err)
	}
	if p.rel.memory && p.db.snapshot && !p.rel.locks {
		p.db.log.Info("the table is in memory, or of something without snapshots, so it is read as it is while it is read", "part", p.Name())
	}
	return r, nil
}

// openFirst begins to read. What may pass, such as somebody else's lock, is tried again.
func (p *part) openFirst(ctx context.Context) (*reader, error) {
	for attempt := 1; ; attempt++ {
		r, err := p.openNext(ctx, nil)
		if attempt >= p.db.set.attempts || changed(err) || !mayPass(err) {
			return r, err
		}
		p.db.log.Info("reading could not begin; trying again", "part", p.Name(), "attempt", attempt, "err", told(err))
		if err := p.db.pause(ctx, link.BackOff(attempt)); err != nil {
			return nil, err
		}
	}
}

// openNow begins to read from a snapshot that is taken now.
func (p *part) openNow(ctx context.Context) (*reader, error) {
	s, err := p.db.connect(ctx)
	if err != nil {
		return nil, err
	}
	p.db.snapshots.Add()
	s.late = true
	return p.openOn(ctx, s, nil)
}

// openNext begins to read on the next session. Those that were lost while nobody used them are passed
// over.
func (p *part) openNext(ctx context.Context, before *reader) (*reader, error) {
	for {
		s, used, err := p.db.session(ctx, p.rel.memory)
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
		switch {
		case err == nil:
			s.taken = s.inside
		case ctx.Err() != nil:
			p.db.discard(s)
			err = ctx.Err()
		default:
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
	} else {
		if !r.table.Like(before.table) {
			return nil, sqlread.ErrTableChanged
		}
		r.row, r.at = before.row, before.at
	}
	if err := p.db.enter(ctx, s); err != nil {
		return nil, err
	}
	query, args := p.query(r.table, r.at)
	r.result, err = sqlread.Open(ctx, &s.Conn, query, args)
	return r, err
}

// goOn goes on behind the last row that came, on another connection, or on the same where the server ended
// only the statement: in the snapshot of the run where one of it is idle, or else in a new one. cause is
// why no more rows came.
func (p *part) goOn(ctx context.Context, r *reader, cause error) (*reader, error) {
	failed := func(err error) error { return p.tableError("read rows", err) }
	if r.at == nil || !canCompare(r.at) {
		return nil, failed(cause)
	}
	l := &link.Loss{Attempts: p.db.attempts(), Part: p.Name(), Failed: failed, Final: changed}
	return link.GoOn(ctx, l, &r.at.Losses, cause, func(ctx context.Context, _ error) (*reader, error) { return p.openNext(ctx, r) })
}
