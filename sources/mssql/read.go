package mssql

import (
	"context"
	"errors"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// errTableGone means that the catalog no longer has columns of a table.
var errTableGone = errors.New("the table does not exist, or the user has no privilege on it")

// changed reports whether a table was altered since the snapshot was taken.
func changed(err error) bool {
	return errors.Is(err, sqlread.ErrTableChanged) || code(err) == codeAltered
}

// outside reports whether something can be read only outside of snapshots: a memory-optimized table, a FileTable, data of
// a linked server, a columnstore of an old server, or a table of another database without snapshots, in a view
// or a query.
func outside(err error) bool {
	return slices.Contains([]int32{codeInMemory, codeNoSnapshots, codeFileTable, codeDistributed, codeDistributed2, codeNoColumnstore}, code(err))
}

// Open starts to read: from a snapshot of the run, or from a later one if the table was altered
// since, or without one if it has none.
func (d *database) Open(ctx context.Context, p *part) (*reader, error) {
	if p.Rule != nil {
		if err := onlyReads(p); err != nil {
			return nil, err
		}
	}
	r, err := d.openFirst(ctx, p)
	switch {
	case outside(err) && !p.Rel.Unversioned:
		if c := code(err); c != codeInMemory && c != codeNoSnapshots {
			d.Log.Warn("reading the table without a snapshot, because it does not support one", "part", p.Name(), "err", verdicts.Shorten(err))
		}
		p.Rel.Unversioned = true
		if code(err) == codeFileTable {
			p.Rel.Storage = fileTable
		}
		r, err = d.openFirst(ctx, p)
	case changed(err):
		d.Log.Warn("the table was altered since the run began; reading its current state", "part", p.Name())
		r, err = d.openNow(ctx, p)
	}
	if err != nil {
		return nil, p.Failed("start reading", err)
	}
	if p.Rel.Unversioned && d.snapshot && p.Rel.Storage != fileTable {
		d.Log.Info("reading the table without a snapshot, because it is memory-optimized, or in a database without snapshots", "part", p.Name())
	}
	return r, nil
}

// openFirst starts to read. Temporary errors, such as another session's lock, are retried.
func (d *database) openFirst(ctx context.Context, p *part) (*reader, error) {
	for attempt := 1; ; attempt++ {
		r, err := p.OpenNext(ctx, nil, nil)
		if attempt >= d.set.Attempts || changed(err) || !mayPass(err) {
			return r, err
		}
		d.Log.Info("cannot start reading; retrying", "part", p.Name(), "attempt", attempt, "err", verdicts.Shorten(err))
		if err := d.Attempts.Pause(ctx, link.BackOff(attempt)); err != nil {
			return nil, err
		}
	}
}

// openNow starts to read from a snapshot that is taken now.
func (d *database) openNow(ctx context.Context, p *part) (*reader, error) {
	s, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	d.Snapshots.Add()
	s.AfterRun = true
	return p.OpenOn(ctx, s, nil, nil)
}

// Start implements [sqlread.Dialect].
func (d *database) Start(ctx context.Context, r, before *reader, _ error) error {
	err := d.start(ctx, r, before)
	switch {
	case err == nil:
		r.Session.taken = r.Session.inside
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

func (d *database) start(ctx context.Context, r, before *reader) error {
	if r.Part.Rule != nil {
		return d.openQuery(ctx, r)
	}
	if err := r.Prepare(ctx, before); err != nil {
		return err
	}
	if err := d.enter(ctx, r.Session); err != nil {
		return err
	}
	query, args := query(r.Part, r.Table, r.At)
	return r.Run(ctx, query, args)
}

// Abandon ends the statement; lost is the error that matters.
func (d *database) Abandon(r *reader, _ bool, lost error) error {
	_ = r.Result.Close()
	return lost
}

// Resumable implements [sqlread.Dialect].
func (d *database) Resumable(r *reader, _ error) bool { return canCompare(r.At) }
