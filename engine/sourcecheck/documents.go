package sourcecheck

import (
	"context"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func (s *Source) documents(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		most := 0
		err := eachPart(ctx, src, func(part source.Part) (bool, error) {
			docs, err := readPart(ctx, part)
			most = max(most, len(docs))
			return true, err
		})
		if err == nil && most < 2 {
			return fmt.Errorf("the largest part of the data has %d documents; two are needed", most)
		}
		return err
	})
}

// idsUniqueAndStable compares two runs byte for byte: a difference would be written although nothing changed.
func (s *Source) idsUniqueAndStable(ctx context.Context) error {
	var runs [2][]docRead
	perDocument := false
	for i := range runs {
		err := s.with(ctx, s.Values, func(src source.Source, v field.Values) (err error) {
			perDocument = s.Type.VersionPerDocument != nil && s.Type.VersionPerDocument(v)
			runs[i], err = readAll(ctx, src)
			return err
		})
		if err != nil {
			return err
		}
		if err := repeated(runs[i]); err != nil {
			return err
		}
		if !perDocument {
			undated(runs[i])
			continue
		}
		for _, d := range runs[i] {
			if d.Timestamp == "" {
				return of(d.Part, d.ID, "it has no timestamp although VersionPerDocument is true")
			}
		}
	}
	return differ(runs[0], runs[1])
}

func (s *Source) scopeOf(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, v field.Values) error {
		docs, err := readAll(ctx, src)
		if err != nil {
			return err
		}
		for i := range docs {
			if err := s.scoped(v, &docs[i]); err != nil {
				return err
			}
		}
		for _, name := range s.Type.ScopeFields {
			for _, strange := range []any{nil, []any{}, map[string]any{}} {
				if got, ok := s.Type.ScopeOf(v, map[string]any{name: strange}); ok {
					return fmt.Errorf("ScopeOf returns %q for a document whose %q is %v", got, name, strange)
				}
			}
		}
		return nil
	})
}

// scoped checks that the scope of a document follows from its copy in the index, however numbers were decoded.
func (s *Source) scoped(v field.Values, d *docRead) error {
	for _, useNumber := range []bool{false, true} {
		fields, err := topLevel(d.Source, s.Type.ScopeFields, useNumber)
		if err != nil {
			return of(d.Part, d.ID, "%w", err)
		}
		if got, ok := s.Type.ScopeOf(v, fields); !ok || got != d.Scope {
			return of(d.Part, d.ID, "ScopeOf returns %q, %t; its part has the scope %q", got, ok, d.Scope)
		}
	}
	return nil
}

func (s *Source) versionFields(ctx context.Context) error {
	names := slices.Clone(s.Type.VersionFields)
	if s.Type.TitleField != "" {
		names = append(names, s.Type.TitleField)
	}
	if len(names) == 0 {
		return leftOut("the type has no version fields and no title")
	}
	docs, err := s.read(ctx, s.Values, s.Env)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, d := range docs {
		fields, err := topLevel(d.Source, names, true)
		if err != nil {
			return of(d.Part, d.ID, "%w", err)
		}
		for name, value := range fields {
			if _, text := value.(string); !text && value != nil {
				return of(d.Part, d.ID, "the field %q holds %v, which is not text", name, value)
			}
			found[name] = true
		}
	}
	for _, name := range s.Type.VersionFields { // the title may belong to documents of another configuration
		if !found[name] {
			return fmt.Errorf("no document has the field %q", name)
		}
	}
	return nil
}

// idsOnly compares a complete run with one for which ids are enough.
func (s *Source) idsOnly(ctx context.Context) error {
	whole, err := s.read(ctx, s.Values, s.Env)
	if err != nil {
		return err
	}
	env := s.Env
	env.IDsOnly = true
	return s.in(ctx, s.Values, env, func(src source.Source, v field.Values) error {
		ids, err := readAll(ctx, src)
		if err != nil {
			return fmt.Errorf("with IDsOnly: %w", err)
		}
		for i := range ids {
			if err := s.scoped(v, &ids[i]); err != nil {
				return fmt.Errorf("with IDsOnly: %w", err)
			}
		}
		if err := differ(identified(whole), identified(ids)); err != nil {
			return fmt.Errorf("without and then with IDsOnly: %w", err)
		}
		return nil
	})
}

// identified reduces documents to what identifies them.
func identified(docs []docRead) []docRead {
	for i := range docs {
		docs[i].Timestamp, docs[i].Source = "", ""
	}
	slices.SortFunc(docs, byID)
	return docs
}
