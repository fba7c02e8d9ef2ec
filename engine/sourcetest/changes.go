package sourcetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// changesAreTold: what changes after a position is told, as it is then; a place stays good until another
// one is kept, and nothing is told twice of which the new place is after.
func (s *suite) changesAreTold(ctx context.Context) error {
	if s.changing == nil {
		return s.tellsNone(ctx)
	}
	if s.cfg.NoChanges != "" {
		return errors.New("both Config.Changing and Config.NoChanges are given")
	}
	c := s.changing()
	return s.with(ctx, c.Values, func(src source.Source, _ field.Values) error {
		changer, ok := src.(source.Changer)
		if !ok {
			return errors.New("the source of Config.Changing is no source.Changer")
		}
		at, err := settled(ctx, changer)
		if err != nil {
			return err
		}
		created, changed, deleted := c.Change()
		for range 2 { // a run that did not end well asks again
			next, err := tells(ctx, changer, at, slices.Concat(created, changed), deleted)
			if err != nil {
				return err
			}
			if _, err := tells(ctx, changer, next, nil, nil); err != nil {
				return fmt.Errorf("after the new place: %w", err)
			}
		}
		_, err = changer.Changes(ctx, source.Cursor(`{"of":"another source"}`))
		if lost, ok := errors.AsType[*source.LostError](err); !ok || lost.Why == "" {
			return fmt.Errorf("a place of another source: got %w, want a LostError that says why", err)
		}
		return nil
	})
}

// tellsNone checks a source for which no changes are seeded.
func (s *suite) tellsNone(ctx context.Context) error {
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		_, ok := src.(source.Changer)
		switch {
		case s.cfg.NoChanges != "":
			return skip(s.cfg.NoChanges)
		case ok:
			return errors.New("the source is a source.Changer, and neither Config.Changing nor the reason NoChanges is given")
		}
		return skip("the source does not tell its changes")
	})
}

// settled is a place before which everything was told.
func settled(ctx context.Context, c source.Changer) (source.Cursor, error) {
	at, err := c.Position(ctx)
	if err != nil {
		return "", fmt.Errorf("position: %w", err)
	}
	if err := flat(at); err != nil {
		return "", err
	}
	changes, err := c.Changes(ctx, at)
	if err != nil {
		return "", fmt.Errorf("changes: %w", err)
	}
	return changes.Cursor, flat(changes.Cursor)
}

// flat checks that a place is an object of texts, which every index of connectors can keep.
func flat(c source.Cursor) error {
	var members map[string]string
	if err := json.Unmarshal([]byte(c), &members); err != nil || len(members) == 0 {
		return fmt.Errorf("the place %q is no JSON object whose members are texts", c)
	}
	return nil
}

// tells checks what changed after a place: exactly the documents that are there now and those that are not.
func tells(ctx context.Context, c source.Changer, at source.Cursor, there, gone []string) (next source.Cursor, err error) {
	changes, err := c.Changes(ctx, at)
	if err != nil {
		return "", fmt.Errorf("changes: %w", err)
	}
	var read, left []string
	for _, part := range changes.Parts {
		var named []string
		for id := range part.IDs() {
			named = append(named, id)
		}
		if again := slices.Collect(part.IDs()); !slices.Equal(again, named) {
			return "", fmt.Errorf("%s: names %q, and then %q", part.Name(), named, again)
		}
		var yielded []string
		for doc, err := range part.Documents(ctx) {
			if err != nil {
				return "", fmt.Errorf("%s: %w", part.Name(), err)
			}
			if !slices.Contains(named, doc.ID) {
				return "", fmt.Errorf("%s: yields %q, which it does not name", part.Name(), doc.ID)
			}
			yielded = append(yielded, doc.ID)
		}
		if !part.Ended() {
			return "", fmt.Errorf("%s: does not say that it was read to its end", part.Name())
		}
		read = append(read, yielded...)
		left = append(left, slices.DeleteFunc(named, func(id string) bool { return slices.Contains(yielded, id) })...)
	}
	if !sameIDs(read, there) || !sameIDs(left, gone) {
		return "", fmt.Errorf("yielded %q and not %q, want %q and not %q", read, left, there, gone)
	}
	return changes.Cursor, flat(changes.Cursor)
}

func sameIDs(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
