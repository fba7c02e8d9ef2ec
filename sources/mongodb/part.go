package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// part is a collection, a range of the ids of one, or the result of a rule.
type part struct {
	db         *database
	collection collection
	span       *span
	estimate   int64
	identity   string // of the collection; "": not known in advance
	among      *among // nil: all documents
	source.Ending
}

var (
	_ source.Part      = (*part)(nil)
	_ source.Estimator = (*part)(nil)
)

// missing is a configured collection that cannot be read. It fails, so nothing in it is
// deleted.
type missing struct {
	name string
	err  error
	source.Ending
}

var _ source.Absent = (*missing)(nil)

// Scope is the configured name.
func (m *missing) Scope() string { return scopeName(m.name) }

// Name is the scope.
func (m *missing) Name() string { return m.Scope() }

// Absent is the error.
func (m *missing) Absent() error { return m.err }

// Documents fails.
func (m *missing) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, m.err) }
}

// Scope is the collection.
func (p *part) Scope() string { return scopeName(p.collection.name) }

// Name is the scope, followed by its ids unless the collection is one part.
func (p *part) Name() string {
	switch {
	case p.span != nil:
		return p.Scope() + " " + p.span.String()
	case p.db.set.rule != nil:
		return p.Scope() + ", advanced_rules"
	}
	return p.Scope()
}

// Estimate is the number in the server's statistics.
func (p *part) Estimate() (int64, bool) { return p.estimate, p.estimate > 0 }

// Documents streams the collection in the order of _id, or in the server's own if there is no index on it.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.read(ctx, yield); err != nil {
			yield(document.Document{}, err)
		}
	}
}

// read yields all documents. A lost cursor is replaced if that is possible, as often in a row as
// the configuration allows.
func (p *part) read(ctx context.Context, yield func(document.Document, error) bool) error {
	r := p.newReader()
	var err error
	if r.identity, err = p.identify(ctx); err != nil {
		return err
	}
	if p.identity != "" && r.identity != p.identity {
		return p.gone()
	}
	lost := r.open(ctx)
	for {
		if lost == nil {
			var left bool
			if left, lost = r.documents(ctx, yield); left {
				return nil
			}
			if lost == nil {
				return p.finish(ctx, r)
			}
		}
		if err := p.resume(ctx, r, lost); err != nil {
			return err
		}
		lost = nil
	}
}

// errOther means that a collection was replaced since reading it began.
var errOther = errors.New("the collection was dropped or replaced while it was read")

// identify returns what distinguishes the collection from a later one with the same name: the server's own id of it, if
// the user may see it, or "".
func (p *part) identify(ctx context.Context) (id string, err error) {
	if p.collection.kind == "" {
		return "", nil
	}
	found := false
	err = p.db.each(ctx, bson.D{
		{Key: "listCollections", Value: 1}, {Key: "filter", Value: bson.D{{Key: "name", Value: p.collection.name}}},
	}, func(raw bson.Raw) error {
		if name, ok := raw.Lookup("name").StringValueOK(); ok && name == p.collection.name { // not every server supports the filter
			found = true
			id = identityOf(raw)
		}
		return nil
	})
	if refused(err) { // a user who may read a collection can see its name, but perhaps no more
		var all []collection
		all, err = p.db.collections(ctx, p.collection.name)
		found = len(all) > 0
	}
	switch {
	case err != nil:
		return "", p.failed(ctx, "look up the collection", err)
	case !found:
		return "", p.gone()
	}
	return id, nil
}

// identityOf is the server's own id of a listed collection.
func identityOf(raw bson.Raw) string { return raw.Lookup("info", "uuid").String() }

// gone is the error of a collection that no longer exists.
func (p *part) gone() error {
	return &source.Error{
		Kind: source.ErrTemporary, Part: p.Name(), Err: errOther,
		Hint: "nothing in it is deleted; the next run reads the collection of that name",
	}
}

// finish checks, after the last document, whether the cursor ended because the collection did.
func (p *part) finish(ctx context.Context, r *reader) error {
	now, err := p.identify(ctx)
	switch {
	case err != nil:
		return err
	case now != r.identity:
		return p.gone()
	case p.collection.kind == "" && r.count == 0:
		return &source.Error{
			Kind: source.ErrConfig, Part: p.Name(), Err: errors.New("it has no documents, and the user cannot see whether it exists"),
			Hint: "check collection:, or let the user list the collections: " + p.db.grant(""),
		}
	case p.db.set.rule != nil && p.db.set.rule.partial:
		return &source.Error{
			Kind: source.ErrTemporary, Part: p.Name(), Err: errors.New("allow_partial_results: it is unknown which shards did not respond, so nothing is deleted"),
			Hint: "remove allow_partial_results from the rule",
		}
	}
	if r.converter.withoutID > 0 {
		p.db.log.Warn("documents have no _id, so their ids are derived from their content; a changed document is a new one",
			"part", p.Name(), "docs", r.converter.withoutID)
	}
	p.End()
	return nil
}

// failed explains why a part could not be read.
func (p *part) failed(ctx context.Context, doing string, err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.Name(), Err: e.Err, Hint: e.Hint}
	}
	if ctx.Err() != nil {
		return &source.Error{Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, ctx.Err())}
	}
	e := &source.Error{Kind: kindOf(err), Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, p.db.shorten(err))}
	if refused(err) {
		e.Hint = p.db.grant(p.collection.name) + " or remove it from collection:"
	}
	if p.db.set.rule != nil && e.Kind == nil {
		e.Kind, e.Hint = source.ErrConfig, "the server refused the rule; correct advanced_rules"
	}
	return e
}
