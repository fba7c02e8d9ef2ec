package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// changed reports whether a table was altered since the snapshot was taken.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeTableChanged
}

// Open starts to read: from a snapshot of the run, or from a later one if the table was altered
// since.
func (d *database) Open(ctx context.Context, p *part) (*reader, error) {
	r, err := p.OpenNext(ctx, nil, nil)
	switch {
	case err == nil || !changed(err):
		return r, p.Failed("start reading", err)
	case p.Range != nil:
		return nil, &source.Error{
			Kind: source.ErrTemporary, Part: p.Name(), Err: fmt.Errorf("start reading: %w", verdicts.Shorten(err)),
			Hint: "nothing in the table is deleted; run again",
		}
	}
	d.Log.Warn("the table was altered since the run began; reading its current state", "part", p.Name())
	s, err := d.Connect(ctx)
	if err != nil {
		return nil, p.Failed("connect", err)
	}
	d.Snapshots.Add()
	s.AfterRun = true
	if err := s.begin(ctx); err != nil {
		d.Discard(ctx, s)
		return nil, p.Failed("begin a transaction", err)
	}
	r, err = p.OpenOn(ctx, s, nil, nil)
	return r, p.Failed("start reading", err)
}

// Start implements [sqlread.Dialect].
func (d *database) Start(ctx context.Context, r, before *reader, _ error) error {
	if r.Part.Rule != nil {
		return d.openQuery(ctx, r)
	}
	if err := r.Prepare(ctx, before); err != nil {
		return err
	}
	if rel := &r.Part.Rel; before == nil && r.Part.First() && rel.IsTable() && rel.Unversioned {
		d.Log.Info("reading the table without a snapshot, because its storage engine has none", "part", r.Part.Scope(), "engine", rel.Storage)
	}
	query, args := d.query(r.Part, r.Table, r.At)
	return r.Run(ctx, query, args)
}

// Abandon closes a statement that the server has ended with an error. Closing any other would read all
// remaining rows.
func (d *database) Abandon(r *reader, _ bool, lost error) error {
	if code(lost) != 0 {
		_ = r.Result.Close()
	}
	return lost
}

// Resumable implements [sqlread.Dialect].
func (d *database) Resumable(r *reader, cause error) bool {
	return canCompare(r.Table, r.At) && code(cause) != codeInterrupted
}

// Late opens a session whose snapshot is taken now.
func (d *database) Late(ctx context.Context) (*session, error) {
	s, err := d.Database.Late(ctx)
	if err == nil {
		d.ReadApart()
	}
	return s, err
}

// Restore implements [sqlread.Dialect].
func (d *database) Restore(ctx context.Context, s *session) bool { return s.leave(ctx) == nil }

// Usable reports whether the last error of a session is the server's own, which means that the statement has ended.
func (d *database) Usable(_ context.Context, _ *session, err error) bool { return code(err) != 0 }

// Enter implements [sqlread.Dialect].
func (d *database) Enter(ctx context.Context, s *session) error { return s.begin(ctx) }
