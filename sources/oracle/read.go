package oracle

import (
	"context"
)

// Open implements [sqlread.Dialect].
func (d *database) Open(ctx context.Context, p *part) (*reader, error) {
	r, err := p.OpenNext(ctx, nil, nil)
	return r, p.Failed("start reading", err)
}

// mostMoments is how many moments are tried, one after the other, until the server accepts one.
const mostMoments = 3

// Start implements [sqlread.Dialect]. It continues as before unless cause means that this is no longer possible.
func (d *database) Start(ctx context.Context, r, before *reader, cause error) error {
	if r.Part.Rule == nil { // AS OF cannot be added to a rule's query
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

// moveOn switches to a moment that the server still has.
func (d *database) moveOn(ctx context.Context, r *reader, cause error) error {
	d.Log.Warn("the server can no longer return the table as of the beginning of the run; reading its current state", "part", r.Part.Name(), "late", true, "err", verdicts.Shorten(cause))
	m, err := d.later(ctx, r.Session, moment(r.Moment), cause)
	r.Moment = string(m)
	return err
}

// Abandon closes the statement if it has ended, or if its rows are no longer wanted: that reads no rows from the
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
