package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// readers is how many parts are read at the same time, as the engine does by default.
const readers = 4

// fields: the descriptor is whole, and the fields are described without a mistake.
func (s *suite) fields(context.Context) error {
	t := s.cfg.Type
	switch {
	case t.Name == "" || t.Title == "":
		return errors.New("the type has no name or no title")
	case t.Open == nil:
		return errors.New("the type has no Open")
	case t.ScopeOf == nil:
		return errors.New("the type has no ScopeOf, so nothing could ever be deleted")
	}
	if t.IdentityFields != nil {
		values, err := field.Parse(t.Fields, s.raw)
		if err != nil {
			return err
		}
		for _, name := range t.IdentityFields(values) {
			if !slices.ContainsFunc(t.Fields, func(f field.Spec) bool { return f.Name == name && !f.Sensitive }) {
				return fmt.Errorf("the identity names %q, which is no field, or a secret one", name)
			}
		}
	}
	return field.Check(t.Fields)
}

// validate: a configuration that works is valid, however often one asks.
func (s *suite) validate(ctx context.Context) error {
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		return errors.Join(src.Validate(ctx), src.Validate(ctx))
	})
}

// ping: the data source answers, and a cancelled context is heeded.
func (s *suite) ping(ctx context.Context) error {
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		if err := errors.Join(src.Ping(ctx), src.Ping(ctx)); err != nil {
			return err
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		if src.Ping(over) == nil {
			return errors.New("Ping does not heed a context that is cancelled")
		}
		return nil
	})
}

// partsStable: two lists name the same parts, each once, with scopes of the declared shape.
func (s *suite) partsStable(ctx context.Context) error {
	var lists [2][]partID
	for i := range lists {
		err := s.with(ctx, s.raw, func(src source.Source, _ field.Values) (err error) {
			lists[i], err = listParts(ctx, src)
			return err
		})
		if err != nil {
			return err
		}
	}
	if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
		return fmt.Errorf("the parts differ between two lists (-first +second):\n%s", diff)
	}
	if len(lists[0]) < 2 {
		return fmt.Errorf("the seeded data has %d parts; the suite needs two or more", len(lists[0]))
	}
	names := map[string]bool{}
	for _, p := range lists[0] {
		if names[p.Name] {
			return fmt.Errorf("two parts have the name %q", p.Name)
		}
		names[p.Name] = true
		if s.cfg.Type.Tree && p.Scope != "" && (path.Clean("/"+p.Scope) != "/"+p.Scope) {
			return fmt.Errorf("the scope %q is not a slash-separated path below the root", p.Scope)
		}
		if strings.ToValidUTF8(p.Scope, "") != p.Scope {
			return fmt.Errorf("the scope %q is not valid UTF-8, so no indexed document can tell it", p.Scope)
		}
	}
	return nil
}

// documents: every document is one that the engine can write.
func (s *suite) documents(ctx context.Context) error {
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		most := 0
		for part, err := range src.Parts(ctx) {
			if err != nil {
				return err
			}
			docs, err := readPart(ctx, part)
			if err != nil {
				return err
			}
			most = max(most, len(docs))
		}
		if most < 2 {
			return fmt.Errorf("the largest part of the seeded data has %d documents; the suite needs two", most)
		}
		return nil
	})
}

// idsUniqueAndStable: no id comes twice, and a second run reads what the first did, byte for byte;
// otherwise it would write although nothing changed.
func (s *suite) idsUniqueAndStable(ctx context.Context) error {
	var runs [2][]docRead
	perDocument := false
	for i := range runs {
		err := s.with(ctx, s.raw, func(src source.Source, v field.Values) (err error) {
			perDocument = s.cfg.Type.VersionPerDocument != nil && s.cfg.Type.VersionPerDocument(v)
			runs[i], err = readAll(ctx, src)
			return err
		})
		if err != nil {
			return err
		}
	}
	for i := range runs {
		for j := range runs[i] {
			d := &runs[i][j]
			if perDocument && d.Timestamp == "" {
				return fmt.Errorf("document %q has no timestamp although VersionPerDocument is true", d.ID)
			}
			if !perDocument {
				d.Timestamp = "" // may be the time of the run
			}
			if j > 0 && runs[i][j-1].ID == d.ID {
				return fmt.Errorf("the id %q comes from part %q and from part %q", d.ID, runs[i][j-1].Part, d.Part)
			}
		}
	}
	if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
		return fmt.Errorf("two runs over the same data differ (-first +second):\n%s", diff)
	}
	return nil
}

// scopeOf: from what the index holds of a document its scope can be told, however numbers were
// decoded, and from nothing none is made up.
func (s *suite) scopeOf(ctx context.Context) error {
	t := s.cfg.Type
	return s.with(ctx, s.raw, func(src source.Source, v field.Values) error {
		docs, err := readAll(ctx, src)
		if err != nil {
			return err
		}
		for _, d := range docs {
			for _, useNumber := range []bool{false, true} {
				fields, err := topLevel(d.Source, t.ScopeFields, useNumber)
				if err != nil {
					return err
				}
				if got, ok := t.ScopeOf(v, fields); !ok || got != d.Scope {
					return fmt.Errorf("document %q: ScopeOf tells %q, %t; its part has the scope %q", d.ID, got, ok, d.Scope)
				}
			}
		}
		for _, name := range t.ScopeFields {
			for _, strange := range []any{nil, []any{}, map[string]any{}} {
				if got, ok := t.ScopeOf(v, map[string]any{name: strange}); ok {
					return fmt.Errorf("ScopeOf tells %q of a document whose %q is %v", got, name, strange)
				}
			}
		}
		return nil
	})
}

// cancelMidway: a part that is cut short by its context ends with an error; otherwise the engine
// would take it for a part that was read to its end.
func (s *suite) cancelMidway(ctx context.Context) error {
	whole := map[string]int{}
	err := s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		docs, err := readAll(ctx, src)
		for _, d := range docs {
			whole[d.Part]++
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		return errors.Join(s.cancelParts(ctx), cancelDocuments(ctx, src, whole))
	})
}

// cancelParts lists with a context that is over.
func (s *suite) cancelParts(ctx context.Context) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	return s.with(ctx, s.raw, func(src source.Source, _ field.Values) error {
		for _, err := range src.Parts(over) {
			if err != nil {
				return nil
			}
		}
		return errors.New("Parts ends without error although its context is cancelled")
	})
}

func cancelDocuments(ctx context.Context, src source.Source, whole map[string]int) error {
	i := 0
	for part, err := range src.Parts(ctx) {
		if err != nil {
			return err
		}
		after := i % 2 // before the first document, or in the middle
		i++
		n, err := readUntil(ctx, part, after)
		if err == nil && n < whole[part.Name()] {
			return fmt.Errorf("part %q: cancelled after %d documents it ends without error after %d of %d",
				part.Name(), after, n, whole[part.Name()])
		}
	}
	return nil
}

// readUntil cancels the context after so many documents and goes on reading to the end.
func readUntil(ctx context.Context, part source.Part, after int) (n int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if after == 0 {
		cancel()
	}
	for _, err := range part.Documents(ctx) {
		if err != nil {
			return n, err
		}
		if n++; n == after {
			cancel()
		}
	}
	return n, nil
}

// partsInParallel: parts may be read at the same time, while the list goes on.
func (s *suite) partsInParallel(ctx context.Context) error {
	var want, got []docRead
	err := s.with(ctx, s.raw, func(src source.Source, _ field.Values) (err error) {
		want, err = readAll(ctx, src)
		return err
	})
	if err != nil {
		return err
	}
	err = s.with(ctx, s.raw, func(src source.Source, _ field.Values) (err error) {
		got, err = readParallel(ctx, src)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(got, byID)
	for i := range want {
		want[i].Timestamp = ""
	}
	for i := range got {
		got[i].Timestamp = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("read in parallel the documents differ (-one by one +parallel):\n%s", diff)
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
	for part, err := range src.Parts(ctx) {
		if err != nil {
			errs = append(errs, err)
			break
		}
		slots <- struct{}{}
		wg.Go(func() { // ends with the part
			defer func() { <-slots }()
			docs, err := readPart(ctx, part)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, docs...)
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}
