package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// ErrTimeIsUp is the error of a run whose time limit ended its reading.
var ErrTimeIsUp = errors.New("the time limit of --max-duration is over")

// Turns remembers, from one run with a time limit to the next, when each scope had its turn, in
// seconds since 1970. Those that waited longest are read first, so that a source which takes longer
// than the limit gets round. The zero value remembers nothing.
type Turns struct {
	// Load returns what was kept last, if it was kept with the same of.
	Load func(of string) (map[string]int64, error)
	// Save keeps turns in place of what was kept before.
	Save func(of string, turns map[string]int64) error
}

// round is the reading of a run with a time limit.
type round struct {
	parts []source.Part // in the order of their turns

	mu    sync.Mutex
	turns map[string]*turn // by scope
}

// turn is the reading of one scope.
type turn struct {
	left  int       // parts that are not read to their end
	begun time.Time // the first part; zero when none was
	ended time.Time // the last part so far
}

// begin notes that a part of the scope is being read; end, that it was read to its end.
func (o *round) begin(scope string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.turns[scope]; t.begun.IsZero() {
		t.begun = now
	}
}

func (o *round) end(scope string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.turns[scope]
	t.left, t.ended = t.left-1, now
}

// limited is ctx, but that it ends with the time limit as well: who waits for an answer waits no longer
// than that.
func (r *run) limited(ctx context.Context) (context.Context, func()) {
	limited, stop := context.WithCancelCause(ctx)
	if r.deps.Until == nil {
		return limited, func() { stop(nil) }
	}
	over := context.AfterFunc(r.deps.Until, func() { stop(ErrTimeIsUp) })
	return limited, func() {
		over()
		stop(nil)
	}
}

// inTime makes of an error of reaching somebody one of the time limit, where that ended it.
func (r *run) inTime(ctx context.Context, err error) error {
	if r.deps.Until == nil || r.deps.Until.Err() == nil || ctx.Err() != nil || errors.Is(err, ErrTimeIsUp) {
		return err
	}
	return fmt.Errorf("%w: it ended before everybody was reached: %s", ErrTimeIsUp, err.Error())
}

// readInTurns reads as read does, until the time limit. All parts are listed before the first is read.
func (r *run) readInTurns(ctx context.Context, src source.Source) error {
	limited, stop := r.limited(ctx)
	defer stop()
	o := &round{turns: map[string]*turn{}}
	err := guarded(func() error {
		return r.list(limited, src, func(part source.Part) error {
			o.parts = append(o.parts, part)
			t := o.turns[part.Scope()]
			if t == nil {
				t = &turn{}
				o.turns[part.Scope()] = t
			}
			t.left++
			return nil
		})
	})
	if err == nil && limited.Err() != nil { // a source may end its list quietly then
		err = context.Cause(limited)
	}
	switch {
	case err == nil:
		turns := r.recallTurns()
		slices.SortStableFunc(o.parts, func(a, b source.Part) int { return cmp.Compare(turns[a.Scope()], turns[b.Scope()]) })
		err = r.readRound(limited, o)
		r.keepTurns(o, turns)
		r.settleRound(o)
	case errors.Is(err, ErrTimeIsUp):
		r.scopes.breakOff()
		r.late = fmt.Errorf("%w: the source was not even listed to its end", ErrTimeIsUp)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrTimeIsUp), errors.Is(err, context.Canceled):
		return nil // what was read is written, and what was read to its end is judged
	}
	return err
}

// readRound reads the parts in their order, some at the same time.
func (r *run) readRound(ctx context.Context, o *round) error {
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(r.deps.Readers)
	for _, part := range o.parts {
		g.Go(func() error { // ends with the part
			if reading.Err() != nil {
				return context.Cause(reading)
			}
			o.begin(part.Scope(), r.deps.Now())
			if err := guarded(func() error { return r.readPart(reading, part) }); err != nil {
				return err
			}
			o.end(part.Scope(), r.deps.Now())
			return nil
		})
	}
	return g.Wait()
}

// settleRound notes the scopes that were not read to their end: nothing is known of what is gone there.
func (r *run) settleRound(o *round) {
	unread := 0
	for scope, t := range o.turns {
		if t.left > 0 {
			unread += t.left
			r.scopes.leave(scope, t.left)
		}
	}
	if unread > 0 {
		r.late = fmt.Errorf("%w: %d of %d parts were read; what is left goes first in the next run", ErrTimeIsUp, len(o.parts)-unread, len(o.parts))
	}
}

// recallTurns forgets nothing when it fails: then the parts are read in the order of the list.
func (r *run) recallTurns() map[string]int64 {
	if r.deps.Turns.Load == nil || r.absent {
		return nil
	}
	turns, err := r.deps.Turns.Load(r.memoryOf())
	if err != nil {
		r.deps.Log.Warn("what was read when is not known: what is listed first is read first", report.Err, err.Error())
	}
	soon := r.deps.Now().Add(time.Hour).Unix()
	for scope, at := range turns {
		if at > soon { // it would go last until then
			r.deps.Log.Warn("this was read at an instant that lies ahead of now, so some clock was wrong: it is taken for unread", report.Part, scope)
			delete(turns, scope)
		}
	}
	return turns
}

// keepTurns notes the turns of the scopes that exist. A scope that was cut short is first in the next
// run, unless it has had nearly all the time there was: another turn would not do more.
func (r *run) keepTurns(o *round, before map[string]int64) {
	if r.deps.Turns.Save == nil || r.job.DryRun {
		return
	}
	now := r.deps.Now()
	enough := now.Sub(r.started) * 9 / 10
	turns := map[string]int64{}
	for scope, t := range o.turns {
		turns[scope] = before[scope]
		switch {
		case t.left == 0:
			turns[scope] = t.ended.Unix()
		case !t.begun.IsZero() && now.Sub(t.begun) >= enough:
			turns[scope] = now.Unix()
			r.deps.Log.Warn("the time limit is too short to read this to its end, so nothing of it is ever deleted: raise --max-duration",
				report.Part, scope, report.Took, now.Sub(t.begun).Round(time.Second).String())
		}
	}
	if r.job.Wants != nil {
		for scope, at := range before { // those that were not asked for keep their turns
			if _, listed := turns[scope]; !listed {
				turns[scope] = at
			}
		}
	}
	if err := r.deps.Turns.Save(r.memoryOf(), turns); err != nil {
		r.deps.Log.Warn("what was read could not be remembered: the next run begins with the same", report.Err, err.Error())
	}
}
