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

// ErrTimeIsUp is the error of a run whose time limit ended the reading.
var ErrTimeIsUp = errors.New("the time limit of --max-duration is up")

// Turns remembers, between runs with a time limit, when each scope was last read, in seconds since 1970. The
// scopes that have waited longest are read first, so that successive runs cover a source that takes longer than
// the limit. The zero value remembers nothing.
type Turns struct {
	// Load returns the turns saved last, if they were saved with the same of.
	Load func(of string) (map[string]int64, error)
	// Save replaces the saved turns.
	Save func(of string, turns map[string]int64) error
}

// round is the reading of a run with a time limit.
type round struct {
	*destination

	parts []source.Part // in the order of their turns

	mu    sync.Mutex
	turns map[string]*turn // by scope
}

// turn is the reading of one scope.
type turn struct {
	left  int       // parts that are not read completely
	begun time.Time // start of the first part; zero if none started
	ended time.Time // the last part so far
}

// begin records the start of a part of the scope; end, that the part was read completely.
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

// readInTurns reads as read does, until the time limit. It lists all parts before it reads the first.
func (r *reading) readInTurns(ctx context.Context, src source.Source) error {
	limited, stop := r.limited(ctx)
	defer stop()
	o := &round{destination: r.destination, turns: map[string]*turn{}}
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
	if err == nil && limited.Err() != nil { // a source may end its list without an error then
		err = context.Cause(limited)
	}
	switch {
	case err == nil:
		turns := o.recall()
		slices.SortStableFunc(o.parts, func(a, b source.Part) int { return cmp.Compare(turns[a.Scope()], turns[b.Scope()]) })
		err = r.readRound(limited, o)
		o.keep(turns)
		r.settleRound(o)
	case errors.Is(err, ErrTimeIsUp):
		r.scopes.breakOff()
		r.outcome.late = fmt.Errorf("%w: the source was not listed completely", ErrTimeIsUp)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrTimeIsUp), errors.Is(err, context.Canceled):
		return nil // documents already read are written, and complete scopes are judged
	}
	return err
}

// readRound reads the parts in order, several concurrently.
func (r *reading) readRound(ctx context.Context, o *round) error {
	g, reading := errgroup.WithContext(ctx)
	g.SetLimit(r.readers())
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

// settleRound records the scopes that were not read completely: their deletes are unknown.
func (r *reading) settleRound(o *round) {
	unread := 0
	for scope, t := range o.turns {
		if t.left > 0 {
			unread++
			r.scopes.leave(scope, t.left)
		}
	}
	if unread > 0 {
		r.outcome.late = fmt.Errorf("%w: read %d of %s; the next run starts with the others",
			ErrTimeIsUp, len(o.turns)-unread, counted(int64(len(o.turns)), r.job.Type.NounOf(r.job.Values)))
	}
}

// recall loads the turns. If it fails, the parts are read in the order of the list.
func (o *round) recall() map[string]int64 {
	if o.deps.Turns.Load == nil || o.absent {
		return nil
	}
	turns, err := o.deps.Turns.Load(o.memoryOf())
	if err != nil {
		o.deps.Log.Warn("cannot load when each part was last read; reading in listing order", report.Err, err.Error())
	}
	soon := o.deps.Now().Add(time.Hour).Unix()
	for scope, at := range turns {
		if at > soon { // otherwise the scope would be last until then
			o.deps.Log.Warn("the time of the last read lies in the future, so a clock was wrong; treating the part as unread", report.Part, scope)
			delete(turns, scope)
		}
	}
	return turns
}

// complete reports whether all parts were read completely.
func (o *round) complete() bool {
	for _, t := range o.turns {
		if t.left > 0 {
			return false
		}
	}
	return true
}

// keep records the turns of the scopes that exist. A scope that was cut short is first in the next run, unless it
// had nearly all of the time: another turn would not get further.
func (o *round) keep(before map[string]int64) {
	if o.deps.Turns.Save == nil || o.job.DryRun {
		return
	}
	now := o.deps.Now()
	enough := now.Sub(o.started) * 9 / 10
	turns := map[string]int64{}
	if o.inOrder() && o.complete() {
		if o.job.Wants != nil { // the other scopes have theirs
			return
		}
		o.turns = nil // the next run begins with the first part of the list again
	}
	for scope, t := range o.turns {
		turns[scope] = before[scope]
		switch {
		case t.left == 0:
			turns[scope] = t.ended.Unix()
		case !t.begun.IsZero() && now.Sub(t.begun) >= enough:
			turns[scope] = now.Unix()
			o.outcome.note(func(res *Result) { res.TooLong = append(res.TooLong, scope) })
		}
	}
	if o.job.Wants != nil {
		for scope, at := range before { // scopes that this run did not want keep their turns
			if _, listed := turns[scope]; !listed {
				turns[scope] = at
			}
		}
	}
	if err := o.deps.Turns.Save(o.memoryOf(), turns); err != nil {
		o.deps.Log.Warn("cannot save when each part was last read; the next run starts with the same parts", report.Err, err.Error())
	}
}
