package sourcecheck

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// earlyBreak leaves every part after its first document, and the list after its first part. A source that kept
// rows or connections would run out of them. The parts are read afterwards from another instance of the source, so
// that the first cannot disturb them.
func (s *Source) earlyBreak(ctx context.Context) error {
	whole, err := s.counts(ctx)
	if err != nil {
		return err
	}
	err = s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		return eachPart(ctx, src, func(part source.Part) (bool, error) {
			if err := breakPart(ctx, part); err != nil {
				return false, err
			}
			if whole[part.Name()] > 1 && part.Ended() {
				return false, inPart(part.Name(), "it was left after 1 of %d documents, but reports that it was read completely", whole[part.Name()])
			}
			return true, nil
		})
	})
	if err != nil {
		return err
	}
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		return eachPart(ctx, src, func(part source.Part) (bool, error) { return false, breakPart(ctx, part) })
	})
}

// breakPart reads the first document of a part.
func breakPart(ctx context.Context, part source.Part) error {
	err := each(part.Documents(ctx), func(document.Document) (bool, error) { return false, nil })
	if err != nil {
		return inPart(part.Name(), "read the first document: %w", err)
	}
	return nil
}

// counts is the number of documents of each part.
func (s *Source) counts(ctx context.Context) (map[string]int, error) {
	n := map[string]int{}
	docs, err := s.read(ctx, s.Values, s.Env)
	for i := range docs {
		n[docs[i].Part]++
	}
	return n, err
}

// cancelMidway: otherwise the engine would treat a part that was cut short as completely read.
func (s *Source) cancelMidway(ctx context.Context) error {
	whole, err := s.counts(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.cancelParts(ctx), s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		i := 0
		return eachPart(ctx, src, func(part source.Part) (bool, error) {
			after := i % 2 // before the first document, or in the middle
			i++
			return true, cancelDocuments(ctx, part, after, whole[part.Name()])
		})
	}))
}

// cancelParts lists parts with a context that has ended.
func (s *Source) cancelParts(ctx context.Context) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		err := each(src.Parts(over), func(source.Part) (bool, error) { return true, nil })
		switch {
		case err == nil:
			return errors.New("Parts ends without error although its context is canceled")
		case errors.Is(err, errContinues):
			return fmt.Errorf("list the parts with a canceled context: %w", err)
		}
		return nil
	})
}

// cancelDocuments cancels the context after a number of documents.
func cancelDocuments(ctx context.Context, part source.Part, after, all int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if after == 0 {
		cancel()
	}
	n := 0
	err := each(part.Documents(ctx), func(document.Document) (bool, error) {
		if n++; n == after {
			cancel()
		}
		return true, nil
	})
	switch {
	case errors.Is(err, errContinues):
		return inPart(part.Name(), "canceled after %d documents: %w", after, err)
	case n < all && err == nil:
		return inPart(part.Name(), "canceled after %d documents, it ends without error after %d of %d", after, n, all)
	case n < all && part.Ended():
		return inPart(part.Name(), "canceled after %d documents, it reports that it was read completely after %d of %d", after, n, all)
	}
	return nil
}

// lossRepeatsNothing reads without a loss, and then again while the connection breaks.
func (s *Source) lossRepeatsNothing(ctx context.Context) error {
	if s.Loss == nil {
		return notGiven("Loss", s.NoLoss)
	}
	l := s.Loss()
	want, err := s.read(ctx, l.Values, s.Env)
	if err != nil {
		return err
	}
	var got []docRead
	err = s.with(ctx, l.Values, func(src source.Source, _ field.Values) error {
		parts, err := listParts(ctx, src)
		if err != nil {
			return err
		}
		l.Break()
		for _, part := range parts {
			docs, err := readPart(ctx, part)
			if err != nil {
				return fmt.Errorf("the connection broke %d times: %w", l.Lost(), err)
			}
			got = append(got, docs...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(got, byID)
	if err := repeated(got); err != nil {
		return err
	}
	if l.Lost() == 0 {
		return errors.New("the connection did not break while documents were read, so nothing was checked")
	}
	if err := differ(undated(want), undated(got)); err != nil {
		return fmt.Errorf("without a loss, and then with %d: %w", l.Lost(), err)
	}
	return nil
}
