package oracle

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// part is a table, a view that is read like a table, or a query.
type part struct {
	source.Ending
	db    *database
	rel   relation
	rule  *selection // whose query is read instead; rel is then of no meaning
	scope string
	about sqlread.Described
}

var (
	_ source.Part      = (*part)(nil)
	_ source.Estimator = (*part)(nil)
	_ source.Describer = (*part)(nil)
)

// Scope is the table; for a query those that it belongs to.
func (p *part) Scope() string { return p.scope }

// Name is the scope, and which query of it is meant.
func (p *part) Name() string {
	if p.rule != nil {
		return p.scope + ", " + p.rule.Path
	}
	return p.scope
}

// Estimate is what the server's statistics say.
func (p *part) Estimate() (int64, bool) { return p.rel.estimate, p.rel.estimate > 0 }

// tables are those that the documents are of, as they are given.
func (p *part) tables() []relation {
	if p.rule != nil {
		return p.rule.tables
	}
	return []relation{p.rel}
}

// sorted are the same in the order in which ids have them.
func (p *part) sorted() []relation {
	tables := slices.Clone(p.tables())
	slices.SortFunc(tables, func(a, b relation) int { return cmp.Compare(p.db.shown(&a), p.db.shown(&b)) })
	return tables
}

// shown is what the tables are called.
func (p *part) shown(tables []relation) (names []string) {
	for i := range tables {
		names = append(names, p.db.shown(&tables[i]))
	}
	return names
}

// Documents streams the table. The server sends rows no faster than they are taken, so one statement does
// for a table of any size.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.read(ctx, yield); err != nil {
			yield(document.Document{}, err)
		}
	}
}

// read yields all rows. A lost connection is replaced where that is possible, as often in a row as
// the configuration allows.
func (p *part) read(ctx context.Context, yield func(document.Document, error) bool) error {
	r, err := p.open(ctx)
	for err == nil {
		left, lost := r.rows(ctx, yield)
		if !left && lost == nil {
			return p.finish(ctx, r)
		}
		r.abandon(ctx, left, lost)
		if left {
			return nil
		}
		r, err = p.goOn(ctx, r, lost)
	}
	return err
}

// finish gives the session back once the last row has come.
func (p *part) finish(ctx context.Context, r *reader) error {
	p.End()
	p.db.release(ctx, r.session)
	return sqlread.KeylessError(p.Name(), r.keyless)
}
