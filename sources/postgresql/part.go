package postgresql

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// part is a table, a range of the blocks of one, a view that is read like a table, or a query.
type part struct {
	source.Ending
	sqlread.Subject
	db       *database
	only     bool // without the rows of its children, for example if they are parts themselves
	blocks   *blocks
	snapshot string // of the run; "" if there is none
	about    *sqlread.Described
}

var (
	_ source.Part      = (*part)(nil)
	_ source.Estimator = (*part)(nil)
	_ source.Describer = (*part)(nil)
)

// Name is the scope, followed by the blocks or the query unless the table is one part.
func (p *part) Name() string {
	if p.blocks != nil {
		return p.Rel.Scope + " " + p.blocks.String()
	}
	return p.Subject.Name()
}

// Documents streams the table. The server sends rows no faster than they are read, and tolerates any
// pause, so one statement is enough for a table of any size; paging is never faster, see BenchmarkWays.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if err := p.read(ctx, yield); err != nil {
			yield(document.Document{}, p.explained(ctx, err))
		}
	}
}

// read yields all rows. A lost connection is replaced if that is possible, as often in a row as
// the configuration allows.
func (p *part) read(ctx context.Context, yield func(document.Document, error) bool) error {
	if !p.Rel.Readable {
		return &source.Error{
			Kind: source.ErrAuth, Part: p.Name(), Err: errors.New("the role may not read the table"), Hint: p.grantHint(),
		}
	}
	r, err := p.open(ctx)
	for err == nil {
		left, lost := r.rows(ctx, yield)
		if !left && lost == nil {
			return p.finish(ctx, r)
		}
		r.abandon(ctx)
		if left {
			return nil
		}
		r, err = p.resume(ctx, r, lost)
	}
	return err
}

// finish checks, after the last row, the result of the read, in the transaction that read it.
func (p *part) finish(ctx context.Context, r *reader) error {
	// Until the statement began, tables below could still be rewritten; since then its locks prevent that.
	moved, err := p.moved(ctx, r)
	if err == nil && moved {
		err = errMoved
	}
	if err != nil {
		r.abandon(ctx)
		return p.tableError("look up the table again", err)
	}
	r.cancel()
	p.db.release(ctx, r.conn)
	p.End()
	if err := sqlread.KeylessError(p.Name(), r.keyless); err != nil || !r.hidden {
		return err
	}
	return &source.Error{
		Kind: source.ErrAuth, Part: p.Name(), Hint: p.policyHint(),
		Err: errors.New("row security may hide rows of the table from the role, so nothing in it is deleted"),
	}
}

// connectError adds the part to an error of connecting.
func (p *part) connectError(err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.Name(), Err: e.Err, Hint: e.Hint}
	}
	return &source.Error{Part: p.Name(), Err: err}
}

// hidden is a table of a schema without USAGE: the catalog shows it, but it cannot be
// read.
type hidden struct{ table *part }

var (
	_ source.Hidden    = (*hidden)(nil)
	_ source.Describer = (*hidden)(nil)
)

// Scope is schema and table.
func (h *hidden) Scope() string { return h.table.Rel.Scope }

// Name is the scope.
func (h *hidden) Name() string { return h.table.Rel.Scope }

// Describe implements [source.Describer]: the catalog also shows the columns.
func (h *hidden) Describe(ctx context.Context) (source.Description, error) {
	return h.table.Describe(ctx)
}

// Hidden implements [source.Hidden].
func (h *hidden) Hidden() {}

// Ended implements [source.Part].
func (h *hidden) Ended() bool { return false }

// Documents fails: the part is not meant to be read.
func (h *hidden) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		yield(document.Document{}, &source.Error{
			Kind: source.ErrAuth, Part: h.table.Rel.Scope, Err: errors.New("the role has no USAGE on the schema"),
			Hint: fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", quote.Ident(h.table.Rel.Schema), quote.Ident(h.table.db.set.User)),
		})
	}
}
