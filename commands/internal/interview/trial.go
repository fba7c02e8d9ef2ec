package interview

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// The bounds of a list that only shows that a source can be listed.
const (
	mostListed  = 1000
	listingTime = 10 * time.Second
)

// trySource tries the source of the draft, and says what it has.
func (iv *Interview) trySource(ctx context.Context) (found string, err error) {
	cfg, err := iv.load(ctx)
	if err != nil {
		return "", err
	}
	values, err := parsed(ctx, cfg, &iv.draft.Type)
	if err != nil {
		return "", err
	}
	t := &trial{of: &iv.draft.Type, values: values, reached: make(chan struct{})}
	return t.run(ctx)
}

// trial opens a source as a sync does, reaches it and lists what it has.
type trial struct {
	of      *source.Type
	values  field.Values
	reached chan struct{} // closed when the source was reached
	scopes  atomic.Int64  // listed so far
}

// run returns what was found, as the end of a sentence: ": 12 tables". A driver may block after ctx has ended, so it
// is then abandoned, as is a list that takes too long.
func (t *trial) run(ctx context.Context) (found string, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { // ends with the source, or with the program
		done <- crash.Guarded(func() error { return t.try(ctx) })
	}()
	var late <-chan time.Time
	for reached := t.reached; ; {
		select {
		case <-reached:
			reached, late = nil, time.After(listingTime)
		case err := <-done:
			return t.found(), err
		case <-late:
			return t.foundInTime(), nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// try opens the source, checks its configuration, reaches it and lists it.
func (t *trial) try(ctx context.Context) (err error) {
	src, err := t.of.Open(ctx, t.values, source.Env{Log: slog.New(slog.DiscardHandler), Profile: "head", Encoding: "exact"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := src.Validate(ctx); err != nil {
		return err
	}
	if err := src.Ping(ctx); err != nil {
		return err
	}
	close(t.reached)
	return t.list(ctx, src)
}

// list counts the scopes of a source, up to one more than is reported.
func (t *trial) list(ctx context.Context, src source.Source) error {
	seen := map[string]bool{} // a scope may have several parts
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return err
		}
		if _, hidden := part.(source.Hidden); hidden {
			continue
		}
		if a, ok := part.(source.Absent); ok {
			return a.Absent()
		}
		seen[part.Scope()] = true
		t.scopes.Store(int64(len(seen)))
		if len(seen) > mostListed {
			return nil
		}
	}
	if len(seen) > 0 {
		return nil
	}
	noun := t.of.NounOf(t.values)
	return &source.Error{
		Kind: source.ErrConfig, Err: fmt.Errorf("the source has no %ss", noun),
		Hint: "correct the answers, or grant the user the right to read; if it is empty on purpose, keep the answers",
	}
}

func (t *trial) found() string {
	noun := t.of.NounOf(t.values)
	if n := t.scopes.Load(); n <= mostListed {
		return ": " + term.Plural(n, noun, noun+"s")
	}
	return ": more than " + term.Plural(mostListed, noun, noun+"s")
}

// foundInTime is what was found in a list that did not end in time.
func (t *trial) foundInTime() string {
	noun := t.of.NounOf(t.values)
	if n := t.scopes.Load(); n > 0 {
		return ": at least " + term.Plural(n, noun, noun+"s")
	}
	return fmt.Sprintf("; listing its %ss takes longer than %.0f seconds", noun, listingTime.Seconds())
}
