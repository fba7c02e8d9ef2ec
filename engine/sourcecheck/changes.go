package sourcecheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// changesAreReported changes documents after a position and requests the changes twice, like a run that repeats an
// incomplete one.
func (s *Source) changesAreReported(ctx context.Context) error {
	switch {
	case s.Changing == nil:
		return s.reportsNone(ctx)
	case s.NoChanges != "":
		return errors.New("both Changing and NoChanges are given")
	}
	c := s.Changing()
	var created, changed, deleted []string
	var there []docRead
	err := s.with(ctx, c.Values, func(src source.Source, _ field.Values) error {
		changer, ok := src.(source.Changer)
		if !ok {
			return errors.New("the source of Changing is not a source.Changer")
		}
		at, err := settled(ctx, changer)
		if err != nil {
			return err
		}
		created, changed, deleted = c.Change()
		var first *followed
		for range 2 {
			if first, err = follow(ctx, changer, at); err != nil {
				return err
			}
			if err := first.are(slices.Concat(created, changed), deleted); err != nil {
				return err
			}
		}
		there = first.there
		return errors.Join(first.leadsOn(ctx, changer), neverBack(ctx, changer, first), foreign(ctx, changer))
	})
	if err != nil {
		return err
	}
	return s.asTheyAre(ctx, c.Values, there, deleted)
}

// reportsNone checks a source without a Changing function.
func (s *Source) reportsNone(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		_, ok := src.(source.Changer)
		switch {
		case s.NoChanges != "":
			return leftOut(s.NoChanges)
		case ok:
			return errors.New("the source is a source.Changer, and neither Changing nor the reason NoChanges is given")
		}
		return leftOut("the source does not report its changes")
	})
}

// settled is a position before which every change was reported.
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

// flat checks that a position is an object of texts, which every index of connectors can store.
func flat(c source.Cursor) error {
	var members map[string]string
	if err := json.Unmarshal([]byte(c), &members); err != nil || len(members) == 0 {
		return fmt.Errorf("the position %q is not a JSON object whose members are texts", c)
	}
	return nil
}

// followed is what changed after a position: the documents that exist now, and the ids of deleted ones.
type followed struct {
	source.Changes
	there []docRead
	gone  []string
}

// follow requests the changes after a position and reads them.
func follow(ctx context.Context, c source.Changer, at source.Cursor) (f *followed, err error) {
	f = &followed{}
	if f.Changes, err = c.Changes(ctx, at); err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	if len(f.Scopes) == 0 {
		return nil, errors.New("the changes follow no scope")
	}
	for _, part := range f.Parts {
		if !slices.Contains(f.Scopes, part.Scope()) {
			return nil, inPart(part.Name(), "its scope %q is not among the followed scopes %q", part.Scope(), f.Scopes)
		}
		named := slices.Collect(part.IDs())
		if again := slices.Collect(part.IDs()); !slices.Equal(again, named) {
			return nil, inPart(part.Name(), "it names %q, and then %q", named, again)
		}
		docs, err := readPart(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			at := slices.Index(named, d.ID)
			if at < 0 {
				return nil, of(part.Name(), d.ID, "it is yielded, but is not among the changed ids")
			}
			named = slices.Delete(named, at, at+1)
		}
		f.there, f.gone = append(f.there, docs...), append(f.gone, named...)
	}
	return f, flat(f.Cursor)
}

// are checks that exactly these documents changed.
func (f *followed) are(there, gone []string) error {
	var ids []string
	for _, d := range f.there {
		ids = append(ids, d.ID)
	}
	for _, list := range [][]string{ids, f.gone, there, gone} {
		slices.Sort(list)
	}
	if !slices.Equal(ids, there) || !slices.Equal(f.gone, gone) {
		return fmt.Errorf("%q are reported as existing and %q as deleted, want %q and %q", ids, f.gone, there, gone)
	}
	return nil
}

// leadsOn checks that nothing is reported again after the new position, and that the same scopes are followed.
func (f *followed) leadsOn(ctx context.Context, c source.Changer) error {
	next, err := follow(ctx, c, f.Cursor)
	if err == nil {
		err = next.are(nil, nil)
	}
	switch {
	case err != nil:
		return fmt.Errorf("after the new position: %w", err)
	case len(next.Parts) > 0:
		return fmt.Errorf("nothing changed after the new position, but there are %d parts", len(next.Parts))
	case !slices.Equal(next.Scopes, f.Scopes):
		return fmt.Errorf("without changes, the scopes %q are followed instead of %q", next.Scopes, f.Scopes)
	}
	return nil
}

// neverBack checks that a position requested after changes is not before an earlier one.
func neverBack(ctx context.Context, c source.Changer, f *followed) error {
	at, err := c.Position(ctx)
	if err != nil {
		return fmt.Errorf("position: %w", err)
	}
	later, err := follow(ctx, c, at)
	if err != nil {
		return fmt.Errorf("after a later position: %w", err)
	}
	known := slices.Clone(f.gone)
	for _, d := range f.there {
		known = append(known, d.ID)
	}
	for _, d := range later.there {
		later.gone = append(later.gone, d.ID)
	}
	for _, id := range later.gone {
		if !slices.Contains(known, id) {
			return fmt.Errorf("the position moved backward: document %q changed before the earlier position", id)
		}
	}
	return nil
}

// foreign checks that a position of another source is refused with a LostError.
func foreign(ctx context.Context, c source.Changer) error {
	_, err := c.Changes(ctx, source.Cursor(`{"of":"another source"}`))
	if lost, ok := errors.AsType[*source.LostError](err); !ok || lost.Why == "" {
		return fmt.Errorf("a position of another source: got %w, want a LostError that says why", err)
	}
	return nil
}

// asTheyAre checks that changed documents equal those of a full run.
func (s *Source) asTheyAre(ctx context.Context, values map[string]any, there []docRead, deleted []string) error {
	all, err := s.read(ctx, values, s.Env)
	if err != nil {
		return err
	}
	byID := map[string]docRead{}
	for _, d := range all {
		byID[d.ID] = d
	}
	for _, d := range there {
		if full := byID[d.ID]; full.Source != d.Source {
			return of(d.Part, d.ID, "it is reported as %s; a full run reads %s", d.Source, full.Source)
		}
	}
	for _, id := range deleted {
		if d, ok := byID[id]; ok {
			return of(d.Part, id, "it is reported as deleted; a full run reads it")
		}
	}
	return nil
}
