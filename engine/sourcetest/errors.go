package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// brokenIsTyped: a configuration that cannot work is refused before a part is read, with an error
// whose kind decides the exit code.
func (s *suite) brokenIsTyped(ctx context.Context) error {
	if len(s.cfg.Broken) == 0 {
		return errors.New("Config.Broken is empty; there is no source that cannot be misconfigured")
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Broken)) {
		b := s.cfg.Broken[name]
		if _, err := field.Parse(s.cfg.Type.Fields, b.Values); err != nil {
			return fmt.Errorf("broken %q: the source is never asked, because the fields do not parse: %w", name, err)
		}
		err := s.refused(ctx, b.Values)
		switch {
		case err == nil:
			return fmt.Errorf("broken %q: Open, Validate and Ping accept it", name)
		case b.Kind == nil || !errors.Is(err, b.Kind):
			return fmt.Errorf("broken %q: got %w, want an error of the kind %s", name, err, kindName(b.Kind))
		}
	}
	return nil
}

// refused returns the first error of Open, Validate and Ping. That Close works after any of them is
// part of the contract.
func (s *suite) refused(ctx context.Context, raw map[string]any) error {
	return s.with(ctx, raw, func(src source.Source, _ field.Values) error {
		if err := src.Validate(ctx); err != nil {
			return err
		}
		return src.Ping(ctx)
	})
}

// failingPartIsTyped: a part that cannot be read is listed all the same, fails alone, and says which
// it is and of what kind the failure is.
func (s *suite) failingPartIsTyped(ctx context.Context) error {
	if s.failingPart == nil {
		if s.cfg.NoFailingPart == "" {
			return errors.New("neither Config.FailingPart nor the reason NoFailingPart is given")
		}
		return skip(s.cfg.NoFailingPart)
	}
	f := s.failingPart()
	return s.with(ctx, f.Values, func(src source.Source, _ field.Values) error {
		failed, read := 0, 0
		for part, err := range src.Parts(ctx) {
			if err != nil {
				return fmt.Errorf("the list of parts must not fail with one of them: %w", err)
			}
			_, err = readPart(ctx, part)
			switch {
			case part.Scope() == f.Scope && err != nil:
				failed++
				if err := typed(err, f.Kind); err != nil {
					return err
				}
			case part.Scope() == f.Scope:
				return fmt.Errorf("the part %q cannot be read, and ends without error", part.Name())
			case err != nil:
				return fmt.Errorf("another part fails too: %w", err)
			default:
				read++
			}
		}
		if failed == 0 || read == 0 {
			return fmt.Errorf("%d parts of scope %q failed and %d others were read; want at least one of each", failed, f.Scope, read)
		}
		return nil
	})
}

func kindName(kind error) string {
	if kind == nil {
		return "none, which Config.Broken must say"
	}
	return kind.Error()
}

func typed(err, kind error) error {
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case !ok:
		return fmt.Errorf("the error of a part is no *source.Error: %w", err)
	case e.Part == "":
		return fmt.Errorf("the error does not name the part: %w", err)
	case kind != nil && !errors.Is(err, kind):
		return fmt.Errorf("got %w, want an error of the kind %s", err, kindName(kind))
	}
	return nil
}
