package sourcecheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func (s *Source) brokenIsTyped(ctx context.Context) error {
	if len(s.Broken) == 0 {
		return errors.New("Broken is empty; there is no source that cannot be misconfigured")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Broken)) {
		b := s.Broken[name]
		if _, err := field.Parse(s.Type.Fields, b.Values); err != nil {
			return fmt.Errorf("broken %q: the source is never called, because the fields do not parse: %w", name, err)
		}
		err := s.refused(ctx, b.Values)
		if err == nil {
			return fmt.Errorf("broken %q: Open, Validate and Ping accept it", name)
		}
		if err := ofKind(fmt.Sprintf("broken %q", name), err, b.Kind); err != nil {
			return err
		}
	}
	return nil
}

// refused returns the first error of Open, Validate and Ping. Close must work after any of them.
func (s *Source) refused(ctx context.Context, raw map[string]any) error {
	return s.with(ctx, raw, func(src source.Source, _ field.Values) error {
		if err := src.Validate(ctx); err != nil {
			return err
		}
		return src.Ping(ctx)
	})
}

// failingPartIsTyped describes the parts first, as the engine does. A part that cannot be described has not
// failed.
func (s *Source) failingPartIsTyped(ctx context.Context) error {
	if s.FailingPart == nil {
		return notGiven("FailingPart", s.NoFailingPart)
	}
	f := s.FailingPart()
	return s.with(ctx, f.Values, func(src source.Source, _ field.Values) error {
		parts, err := listParts(ctx, src)
		if err != nil {
			return fmt.Errorf("the list of parts must not fail with one part: %w", err)
		}
		if s.Type.Describes {
			_, _ = describeAll(ctx, parts)
		}
		var failures []error
		var read []string // scopes
		for _, part := range parts {
			_, err := readPart(ctx, part)
			switch {
			case part.Scope() != f.Scope && err != nil:
				return fmt.Errorf("another part fails too: %w", err)
			case part.Scope() != f.Scope:
				read = append(read, part.Scope())
			case err == nil:
				return inPart(part.Name(), "it cannot be read, but ends without error")
			case part.Ended():
				return inPart(part.Name(), "it cannot be read, but reports that it was read completely: %w", err)
			default:
				failures = append(failures, err)
				if err := typed(part, err, f.Kind); err != nil {
					return err
				}
			}
		}
		if len(failures) == 0 || len(read) == 0 {
			return fmt.Errorf("%d parts of scope %q failed and %d others were read; at least one of each is needed", len(failures), f.Scope, len(read))
		}
		return unmatched(errors.Join(failures...), f.Scope, read)
	})
}

// unmatched checks which scopes an error reports as missing.
func unmatched(err error, scope string, read []string) error {
	e, ok := errors.AsType[*source.UnmatchedError](err)
	switch {
	case !ok:
		return nil
	case e.Of == nil || !e.Of(scope):
		return inPart(scope, "its source.UnmatchedError does not match its own scope: %w", err)
	}
	for _, other := range read {
		if e.Of(other) {
			return inPart(scope, "its source.UnmatchedError matches the scope %q, which was read: %w", other, err)
		}
	}
	return nil
}

func kindName(kind error) string {
	if kind == nil {
		return "none, which Broken must say"
	}
	return kind.Error()
}

// typed checks the error of a part.
func typed(part source.Part, err, kind error) error {
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case errors.Is(err, errContinues):
		return err
	case !ok:
		return inPart(part.Name(), "its error is not a *source.Error: %w", err)
	case e.Part != part.Name() && e.Part != part.Scope():
		return inPart(part.Name(), "its error names the part %q: %w", e.Part, err)
	case kind != nil && !errors.Is(err, kind):
		return inPart(part.Name(), "got %w, want an error of the kind %s", err, kindName(kind))
	}
	return nil
}
