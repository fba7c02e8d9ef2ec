package sqlread

import (
	"context"
	"database/sql/driver"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// Reader is a part being read.
type Reader[S Session, V any] struct {
	Part    *Part[S, V]
	Session S
	Result  *Cursor
	Table   *Table[V]
	Row     func(row []driver.Value) document.Document
	At      *Position // nil if reading cannot resume after a loss
	// Moment is the state that is read, in the words of the dialect; "" is the snapshot of the session.
	Moment string

	keyless int64 // rows of a query that were skipped because they lack a key
}

// rows yields the rows. It returns whether the loop was left early, and why this connection returns no
// more.
func (r *Reader[S, V]) rows(ctx context.Context, yield func(document.Document, error) bool) (left bool, lost error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		more, err := r.Result.Next()
		switch {
		case ctx.Err() != nil: // the driver's error is meaningless then
			return false, ctx.Err()
		case !more:
			return false, err
		}
		if r.At != nil {
			r.At.Advance(r.Table.Key, r.Result.Row)
		}
		if r.Part.Rule != nil && r.Table.Keyless(r.Result.Row) {
			r.keyless++
			continue
		}
		if !yield(r.Row(r.Result.Row), nil) {
			return true, nil
		}
	}
}

// OpenNext starts to read on the next session, see [Part.OpenOn]. Sessions that were lost while idle are
// skipped.
func (p *Part[S, V]) OpenNext(ctx context.Context, before *Reader[S, V], cause error) (*Reader[S, V], error) {
	for {
		s, used, err := p.db.dialect.Acquire(ctx, p)
		if err != nil {
			return nil, err
		}
		r, err := p.OpenOn(ctx, s, before, cause)
		if err == nil || !used || !p.db.Verdicts.HungUp(err) || ctx.Err() != nil {
			return r, err
		}
	}
}

// OpenOn starts to read on a session; if before is given, after its position and in the same way. cause is why
// before ended early. After an error the session has been released.
func (p *Part[S, V]) OpenOn(ctx context.Context, s S, before *Reader[S, V], cause error) (*Reader[S, V], error) {
	r := &Reader[S, V]{Part: p, Session: s}
	if err := p.db.dialect.Start(ctx, r, before, cause); err != nil {
		p.db.ReleaseAfter(ctx, s, err)
		return nil, err
	}
	return r, nil
}

// Prepare finds out how to read a table: as before, if that is given.
func (r *Reader[S, V]) Prepare(ctx context.Context, before *Reader[S, V]) (err error) {
	if r.Table, err = r.Part.db.dialect.Describe(ctx, r.Session, r.Part); err != nil {
		return err
	}
	switch {
	case before == nil:
		r.Row, r.At = r.Part.RowOf(r.Table), r.Table.Start()
	case !r.Table.Like(before.Table):
		return ErrTableChanged
	default:
		r.Row, r.At = before.Row, before.At
	}
	return nil
}

// Run sends the statement.
func (r *Reader[S, V]) Run(ctx context.Context, query string, args []driver.Value) (err error) {
	r.Result, err = Open(ctx, r.Session.Link(), query, args)
	return err
}

// resume resumes after the last row on another session: in a snapshot of the run if one is
// idle, or else in a new one. cause is why no more rows arrived.
func (p *Part[S, V]) resume(ctx context.Context, r *Reader[S, V], cause error) (*Reader[S, V], error) {
	failed := func(err error) error { return p.Failed("read rows", err) }
	if r.At == nil || !p.db.dialect.Resumable(r, cause) {
		return nil, failed(cause)
	}
	l := &link.Loss{Attempts: p.db.Attempts, Part: p.Name(), Failed: failed, Final: p.db.Verdicts.Changed}
	return link.Resume(ctx, l, &r.At.Losses, cause, func(ctx context.Context, cause error) (*Reader[S, V], error) { return p.OpenNext(ctx, r, cause) })
}
