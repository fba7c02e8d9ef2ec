package engine

import (
	"context"
	"fmt"
	"iter"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// identities is a source whose documents are the identities of another.
type identities struct {
	source.AccessLister
	source.Ending
}

// identitiesPart is the name of the only part of that source in logs and errors.
const identitiesPart = "identities"

// identitiesOf returns the source of an access-control run. name is that of the source's type.
func identitiesOf(src source.Source, name string) (source.Source, error) {
	lister, ok := src.(source.AccessLister)
	if !ok {
		_ = src.Close() // it has not been used yet
		return nil, fmt.Errorf("%w: the source type %s has no access control", ErrConfig, name)
	}
	return &identities{AccessLister: lister}, nil
}

// typeOfIdentities is the type of an access-control run's source: properties of the type's documents do not apply
// to identities.
func typeOfIdentities(t source.Type) source.Type {
	t.VersionPerDocument, t.Tree, t.ScopeFields, t.TitleField = nil, false, nil, ""
	t.ScopeOf = func(field.Values, map[string]any) (string, bool) { return identitiesPart, true }
	return t
}

// Parts implements [source.Source].
func (s *identities) Parts(context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) { yield(s, nil) }
}

// Scope implements [source.Part].
func (s *identities) Scope() string { return identitiesPart }

// Name implements [source.Part].
func (s *identities) Name() string { return identitiesPart }

// Documents implements [source.Part].
func (s *identities) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		for doc, err := range s.Identities(ctx) {
			if !yield(doc, err) || err != nil {
				return
			}
		}
		s.End() // the lister has no other way to report its end
	}
}
