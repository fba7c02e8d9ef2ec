package sourcecheck

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// readers is how many parts are read concurrently, as in the engine by default.
const readers = 4

func (s *Source) fields(context.Context) error {
	t := s.Type
	switch {
	case t.Name == "" || t.Title == "":
		return errors.New("the type has no name or no title")
	case t.Open == nil:
		return errors.New("the type has no Open")
	case t.ScopeOf == nil:
		return errors.New("the type has no ScopeOf, so nothing could ever be deleted")
	case t.TitleField != "" && !slices.Contains(t.ScopeFields, t.TitleField):
		return fmt.Errorf("the title field %q is not among the scope fields %q", t.TitleField, t.ScopeFields)
	}
	if t.IdentityFields != nil {
		values, err := field.Parse(t.Fields, s.Values)
		if err != nil {
			return err
		}
		for _, name := range t.IdentityFields(values) {
			if !slices.ContainsFunc(t.Fields, func(f field.Spec) bool { return f.Name == name && !f.Sensitive }) {
				return fmt.Errorf("the identity names %q, which is not a field, or is secret", name)
			}
		}
	}
	return field.Check(t.Fields)
}

func (s *Source) validate(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		return errors.Join(src.Validate(ctx), src.Validate(ctx))
	})
}

func (s *Source) ping(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		if err := errors.Join(src.Ping(ctx), src.Ping(ctx)); err != nil {
			return err
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		if src.Ping(over) == nil {
			return errors.New("Ping ignores a canceled context")
		}
		return nil
	})
}

func (s *Source) partsStable(ctx context.Context) error {
	var lists [2][]partID
	for i := range lists {
		err := s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
			return each(src.Parts(ctx), func(part source.Part) (bool, error) {
				lists[i] = append(lists[i], partID{part.Scope(), part.Name()})
				return true, nil
			})
		})
		if err != nil {
			return fmt.Errorf("list the parts: %w", err)
		}
		slices.SortFunc(lists[i], byName)
	}
	for _, p := range lists[0] {
		if !slices.Contains(lists[1], p) {
			return inPart(p.Name, "the first run lists it with the scope %q, the second run lists %q", p.Scope, lists[1])
		}
	}
	if len(lists[1]) != len(lists[0]) || len(lists[0]) < 2 {
		return fmt.Errorf("the runs list %d and %d parts; the data must have the same two or more in each", len(lists[0]), len(lists[1]))
	}
	names := map[string]bool{}
	for _, p := range lists[0] {
		if names[p.Name] {
			return inPart(p.Name, "two parts have this name")
		}
		names[p.Name] = true
		if err := s.shaped(p); err != nil {
			return err
		}
	}
	return nil
}

// shaped checks the scope and the name of a part.
func (s *Source) shaped(p partID) error {
	switch {
	case p.Name == "":
		return fmt.Errorf("a part of the scope %q has no name", p.Scope)
	case !strings.Contains(p.Name, p.Scope):
		return inPart(p.Name, "its name does not contain its scope, %q", p.Scope)
	case s.Type.Tree && p.Scope != "" && path.Clean("/"+p.Scope) != "/"+p.Scope:
		return inPart(p.Name, "the scope %q is not a slash-separated path below the root", p.Scope)
	case strings.ToValidUTF8(p.Scope, "") != p.Scope:
		return inPart(p.Name, "the scope %q is not valid UTF-8, so no indexed document can hold it", p.Scope)
	}
	return nil
}

// profiles opens the source with each profile and each encoding, and reads one document.
func (s *Source) profiles(ctx context.Context) error {
	if len(s.Type.Profiles) == 0 && len(s.Type.Encodings) == 0 {
		return leftOut("the type names no profile and no encoding")
	}
	use := func(env source.Env) error {
		return s.in(ctx, s.Values, env, func(src source.Source, _ field.Values) error {
			return eachPart(ctx, src, func(part source.Part) (bool, error) { return false, breakPart(ctx, part) })
		})
	}
	for _, profile := range s.Type.Profiles {
		env := s.Env
		env.Profile = profile
		if err := use(env); err != nil {
			return fmt.Errorf("profile %q: %w", profile, err)
		}
	}
	for _, encoding := range s.Type.Encodings {
		env := s.Env
		env.Encoding = encoding
		if err := use(env); err != nil {
			return fmt.Errorf("encoding %q: %w", encoding, err)
		}
	}
	return nil
}

// advancedRules tries rules that are invalid for every source.
func (s *Source) advancedRules(ctx context.Context) error {
	if !s.Type.AdvancedRules {
		return leftOut("the type has no advanced rules")
	}
	env := s.Env
	env.AdvancedRules = []any{true}
	err := s.in(ctx, s.Values, env, func(src source.Source, _ field.Values) error { return src.Validate(ctx) })
	if err == nil {
		return errors.New("the advanced rules [true] are accepted by Open and Validate")
	}
	return ofKind("the advanced rules [true]", err, source.ErrConfig)
}

// estimator asks for an estimate before a part is read, as the engine does, and again afterwards.
func (s *Source) estimator(ctx context.Context) error {
	asked := 0
	err := s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		return eachPart(ctx, src, func(part source.Part) (bool, error) {
			e, ok := part.(source.Estimator)
			if !ok {
				return true, nil
			}
			asked++
			before, known := e.Estimate()
			if _, err := readPart(ctx, part); err != nil {
				return false, err
			}
			after, still := e.Estimate()
			if before < 0 && known || after < 0 && still {
				return false, inPart(part.Name(), "its estimate is %d documents before reading and %d afterwards", before, after)
			}
			return true, nil
		})
	})
	if err == nil && asked == 0 {
		return leftOut("no part estimates its size")
	}
	return err
}

// hidden checks the parts of HiddenPart, and hidden parts in the data.
func (s *Source) hidden(ctx context.Context) error {
	h := HiddenPart{Values: s.Values}
	if s.HiddenPart != nil {
		h = s.HiddenPart()
	}
	seen, found := 0, false
	err := s.with(ctx, h.Values, func(src source.Source, _ field.Values) error {
		return each(src.Parts(ctx), func(part source.Part) (bool, error) {
			if _, ok := part.(source.Hidden); !ok {
				return true, nil
			}
			seen++
			found = found || part.Scope() == h.Scope
			return true, s.judgeHidden(ctx, part)
		})
	})
	switch {
	case err != nil:
		return err
	case s.HiddenPart != nil && !found:
		return inPart(h.Scope, "no part of this scope is a source.Hidden")
	case seen == 0:
		return leftOut("no part is hidden")
	}
	return nil
}

func (s *Source) judgeHidden(ctx context.Context, part source.Part) error {
	if err := s.shaped(partID{part.Scope(), part.Name()}); err != nil {
		return err
	}
	if docs, err := readPart(ctx, part); len(docs) > 0 || err == nil || part.Ended() {
		return inPart(part.Name(), "it is hidden, but yields %d documents, and Ended is %t", len(docs), part.Ended())
	}
	return nil
}

func (s *Source) selective(ctx context.Context) error {
	is := false
	err := s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		var chooser source.Selective
		if chooser, is = src.(source.Selective); !is {
			return nil
		}
		return chooser.Selects(ctx)
	})
	switch {
	case err != nil:
		return err
	case !is && s.NothingChosen == nil:
		return leftOut("no pattern selects what is read")
	case !is:
		return errors.New("NothingChosen is given, but the source is not a source.Selective")
	case s.NothingChosen == nil:
		return errors.New("the source is a source.Selective, but NothingChosen is not given")
	}
	return s.with(ctx, s.NothingChosen().Values, func(src source.Source, _ field.Values) error {
		err := src.(source.Selective).Selects(ctx)
		if err == nil {
			return errors.New("nothing is selected, but Selects returns no error")
		}
		return ofKind("nothing is selected", err, source.ErrConfig)
	})
}

func (s *Source) partsInParallel(ctx context.Context) error {
	want, err := s.read(ctx, s.Values, s.Env)
	if err != nil {
		return err
	}
	var got []docRead
	err = s.with(ctx, s.Values, func(src source.Source, _ field.Values) (err error) {
		got, err = readParallel(ctx, src)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(got, byID)
	if err := differ(undated(want), undated(got)); err != nil {
		return fmt.Errorf("read one by one, and then in parallel: %w", err)
	}
	return nil
}

func readParallel(ctx context.Context, src source.Source) ([]docRead, error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		all  []docRead
		errs []error
	)
	slots := make(chan struct{}, readers)
	listing := eachPart(ctx, src, func(part source.Part) (bool, error) {
		slots <- struct{}{}
		wg.Go(func() { // ends with the part
			defer func() { <-slots }()
			var docs []docRead
			err := crash.Guarded(func() (err error) {
				docs, err = readPart(ctx, part)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, docs...), append(errs, err)
		})
		return true, nil
	})
	wg.Wait()
	return all, errors.Join(append(errs, listing)...)
}
