package oracle

import (
	"context"
)

// Open implements [sqlread.Dialect].
func (d *database) Open(ctx context.Context, p *part) (*reader, error) {
	r, err := p.OpenNext(ctx, nil, nil)
	return r, p.Failed("begin to read", err)
}

// mostMoments is how many moments are tried, one after the other, until the server takes one.
const mostMoments = 3

// Start implements [sqlread.Dialect]. It reads on as before unless cause says that this is not possible any more.
func (d *database) Start(ctx context.Context, r, before *reader, cause error) error {
	if r.Part.Rule == nil { // there is no place in a query of others to say of when it is
		r.Moment = string(d.moment)
		if err := r.Prepare(ctx, before); err != nil {
			return err
		}
	}
	if before != nil {
		r.Moment = before.Moment
	}
	if outdated(cause) {
		if err := d.moveOn(ctx, r, cause); err != nil {
			return err
		}
	}
	var refused error
	for n := 0; ; n++ {
		err := d.run(ctx, r)
		m := moment(r.Moment)
		switch {
		case err == nil:
			d.readApart(r, refused)
			return nil
		case n == mostMoments:
			return err
		case m.clause() != "" && noFlashback(err):
			refused, r.Moment = err, ""
		case outdated(err) && m != momentary:
			if err := d.moveOn(ctx, r, err); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// run sends the statement.
func (d *database) run(ctx context.Context, r *reader) error {
	m := moment(r.Moment)
	if err := m.enter(ctx, r.Session); err != nil {
		return err
	}
	if r.Part.Rule != nil {
		return d.openQuery(ctx, r)
	}
	query, args := query(r.Part, r.Table, m, r.At)
	return r.Run(ctx, query, args)
}

// moveOn moves on to a moment that the server still knows.
func (d *database) moveOn(ctx context.Context, r *reader, cause error) error {
	d.Log.Warn("the server cannot give the table as of the beginning of the run any more, so it is read, or read on, as of now", "part", r.Part.Name(), "late", true, "err", told(cause))
	m, err := d.later(ctx, r.Session, moment(r.Moment), cause)
	r.Moment = string(m)
	return err
}

// Abandon closes the statement where it has ended, or nobody wants its rows any more: that takes no rows from the
// server.
func (d *database) Abandon(r *reader, left bool, lost error) error {
	if left || answered(lost) {
		if err := r.Result.Close(); left && err != nil {
			return err
		}
	}
	return lost
}

// Resumable implements [sqlread.Dialect].
func (d *database) Resumable(r *reader, cause error) bool {
	return canCompare(r.At) && code(cause) != codeInterrupted
}
