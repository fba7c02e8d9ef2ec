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
	identity   string // of the collection; "" is not known beforehand
	among      *among // nil is all documents
	source.Ending
}

var (
	_ source.Part      = (*part)(nil)
	_ source.Estimator = (*part)(nil)
)

// missing is a collection that the configuration names and that cannot be read. It fails, so that nothing of
// it is deleted.
type missing struct {
	name string
	err  error
	source.Ending
}

var _ source.Describer = (*missing)(nil)

// Scope is what the configuration names.
func (m *missing) Scope() string { return scopeName(m.name) }

// Name is the scope.
func (m *missing) Name() string { return m.Scope() }

// Describe knows nothing.
func (m *missing) Describe(context.Context) (d source.Description, err error) { return d, nil }

// Documents fails.
func (m *missing) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, m.err) }
}

// Scope is the collection.
func (p *part) Scope() string { return scopeName(p.collection.name) }

// Name is the scope, and which ids of it are meant unless it is read as a whole.
func (p *part) Name() string {
	switch {
	case p.span != nil:
		return p.Scope() + " " + p.span.String()
	case p.db.set.rule != nil:
		return p.Scope() + ", advanced_rules"
	}
	return p.Scope()
}

// Estimate is what the server's statistics say.
func (p *part) Estimate() (int64, bool) { return p.estimate, p.estimate > 0 }

// Documents streams the collection in the order of _id, or in the server's own where there is no index on it.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.read(ctx, yield); err != nil {
			yield(document.Document{}, err)
		}
	}
}

// read yields all documents. A lost cursor is replaced where that is possible, as often in a row as
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
		if err := p.goOn(ctx, r, lost); err != nil {
			return err
		}
		lost = nil
	}
}

// errOther says that a collection is no longer the one that was begun with.
var errOther = errors.New("the collection was dropped, or another took its name, while it was read")

// identify is what tells the collection from a later one of the same name: the server's own id of it, as far
// as the user may know it. "" is that it cannot be told.
func (p *part) identify(ctx context.Context) (id string, err error) {
	if p.collection.kind == "" {
		return "", nil
	}
	found := false
	err = p.db.each(ctx, bson.D{
		{Key: "listCollections", Value: 1}, {Key: "filter", Value: bson.D{{Key: "name", Value: p.collection.name}}},
	}, func(raw bson.Raw) error {
		if name, ok := raw.Lookup("name").StringValueOK(); ok && name == p.collection.name { // not every server filters
			found = true
			id = identityOf(raw)
		}
		return nil
	})
	if refused(err) { // who may read a collection may know that it is there, but not more
		var all []collection
		all, err = p.db.collections(ctx, p.collection.name)
		found = len(all) > 0
	}
	switch {
	case err != nil:
		return "", p.failed(ctx, "look at the collection", err)
	case !found:
		return "", p.gone()
	}
	return id, nil
}

// identityOf is the server's own id of a collection that it lists.
func identityOf(raw bson.Raw) string { return raw.Lookup("info", "uuid").String() }

// gone is the error of a collection that does not exist any more.
func (p *part) gone() error {
	return &source.Error{
		Kind: source.ErrTemporary, Part: p.Name(), Err: errOther,
		Hint: "nothing of it is deleted; the next run reads what is there then",
	}
}

// finish looks, once the last document has come, whether the cursor was at its end because the collection was.
func (p *part) finish(ctx context.Context, r *reader) error {
	now, err := p.identify(ctx)
	switch {
	case err != nil:
		return err
	case now != r.identity:
		return p.gone()
	case p.collection.kind == "" && r.count == 0:
		return &source.Error{
			Kind: source.ErrConfig, Part: p.Name(), Err: errors.New("it has no document, and the user may not know whether it exists"),
			Hint: "check collection:, or let the user list the collections: " + p.db.grant(""),
		}
	case p.db.set.rule != nil && p.db.set.rule.partial:
		return &source.Error{
			Kind: source.ErrTemporary, Part: p.Name(), Err: errors.New("allow_partial_results: which shards did not answer is not known, so nothing is deleted"),
			Hint: "take allow_partial_results out of the rule",
		}
	}
	if r.converter.withoutID > 0 {
		p.db.log.Warn("documents have no _id, so their ids were made of their content; a change of one is another document",
			"part", p.Name(), "docs", r.converter.withoutID)
	}
	p.End()
	return nil
}

// failed says why a part could not be read.
func (p *part) failed(ctx context.Context, doing string, err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.Name(), Err: e.Err, Hint: e.Hint}
	}
	if ctx.Err() != nil {
		return &source.Error{Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, ctx.Err())}
	}
	e := &source.Error{Kind: kindOf(err), Part: p.Name(), Err: fmt.Errorf("%s: %w", doing, p.db.told(err))}
	if refused(err) {
		e.Hint = p.db.grant(p.collection.name) + " or take it out of collection:"
	}
	if p.db.set.rule != nil && e.Kind == nil {
		e.Kind, e.Hint = source.ErrConfig, "the server refused the rule; correct advanced_rules"
	}
	return e
}
