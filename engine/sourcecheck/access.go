package sourcecheck

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// principals is the field of a document that lists who may read it.
const principals = "_allow_access_control"

func (s *Source) accessLister(ctx context.Context) error {
	return s.with(ctx, s.Values, func(src source.Source, _ field.Values) error {
		lister, ok := src.(source.AccessLister)
		switch {
		case ok != s.Type.AccessControl:
			return fmt.Errorf("the source is a source.AccessLister: %t, and Type.AccessControl is %t", ok, s.Type.AccessControl)
		case !ok:
			return leftOut("the source does not know who may read its documents")
		}
		if err := restrictions(ctx, src); err != nil {
			return err
		}
		var lists [2][]docRead
		for i := range lists {
			var err error
			if lists[i], err = identities(ctx, lister); err != nil {
				return err
			}
		}
		if err := repeated(lists[0]); err != nil {
			return err
		}
		return differ(lists[0], lists[1])
	})
}

// restrictions checks the principals of documents. At least one document must have some; a document without any is
// visible to all.
func restrictions(ctx context.Context, src source.Source) error {
	restricted := 0
	err := eachPart(ctx, src, func(part source.Part) (bool, error) {
		return true, each(part.Documents(ctx), func(doc document.Document) (bool, error) {
			for _, f := range doc.Fields {
				if f.Name != principals {
					continue
				}
				restricted++
				var list []string
				if json.Unmarshal(f.Value.AppendJSON(nil), &list) != nil || !prefixed(list) {
					return false, of(part.Name(), doc.ID, "%s is %s, which is not a list of principals", principals, f.Value.AppendJSON(nil))
				}
			}
			return true, nil
		})
	})
	if err == nil && restricted == 0 {
		return fmt.Errorf("no document has the field %s", principals)
	}
	return err
}

// identityList is the name under which identities are read.
const identityList = "identities"

// identities lists the identities, and checks that each has a query with its principals.
func identities(ctx context.Context, lister source.AccessLister) (all []docRead, err error) {
	part := &fixedPart{name: identityList}
	err = each(lister.Identities(ctx), func(doc document.Document) (bool, error) {
		d, err := keep(part, &doc)
		if err != nil {
			return false, err
		}
		var identity struct {
			Query struct {
				Template struct {
					Params struct {
						AccessControl []string `json:"access_control"`
					}
				}
			}
		}
		if json.Unmarshal([]byte(d.Source+"}"), &identity) != nil || !prefixed(identity.Query.Template.Params.AccessControl) {
			return false, of(identityList, doc.ID, "it has no list of principals in query.template.params.access_control")
		}
		all = append(all, d)
		return true, nil
	})
	slices.SortFunc(all, byID)
	return undated(all), err
}

// prefixed reports whether all members of a non-empty list are principals, such as "user:ann".
func prefixed(list []string) bool {
	for _, p := range list {
		if before, after, ok := strings.Cut(p, ":"); !ok || before == "" || after == "" {
			return false
		}
	}
	return len(list) > 0
}

// fixedPart is a part that is never read.
type fixedPart struct {
	source.Part
	name string
}

func (p *fixedPart) Scope() string { return p.name }

func (p *fixedPart) Name() string { return p.name }
