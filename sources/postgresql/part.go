package postgresql

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// part is a table.
type part struct {
	db       *database
	rel      relation
	only     bool // its children are parts themselves
	scope    string
	snapshot string // of the run; "" when there is none
}

var (
	_ source.Part      = (*part)(nil)
	_ source.Estimator = (*part)(nil)
	_ source.Part      = (*missing)(nil)
)

// Scope is schema and table.
func (p *part) Scope() string { return p.scope }

// Name is the scope: a table is read as a whole.
func (p *part) Name() string { return p.scope }

// Estimate is what the server's statistics say.
func (p *part) Estimate() (int64, bool) { return p.rel.estimate, p.rel.estimate > 0 }

// Documents streams the table. The server sends rows no faster than they are taken, and minds no
// pause, so one statement does for a table of any size; no size of page is faster, see BenchmarkWays.
func (p *part) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		if !p.rel.readable {
			yield(document.Document{}, &source.Error{
				Kind: source.ErrAuth, Part: p.scope, Err: errors.New("the role may not read the table"), Hint: p.grantHint(),
			})
			return
		}
		// The driver ends the statement when the context does, also when the loop is left early.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		r, err := p.open(ctx)
		if err != nil {
			yield(document.Document{}, err)
			return
		}
		defer func() {
			cancel()
			_, _ = r.result.Close() // its error was seen, or is about having been cut short
			hangUp(ctx, r.conn)
		}()
		for r.result.NextRow() {
			if ctx.Err() != nil {
				break
			}
			if !yield(r.row.document(r.result.Values()), nil) {
				return
			}
		}
		err = ctx.Err()
		if err == nil {
			_, err = r.result.Close()
		}
		if err != nil {
			yield(document.Document{}, p.tableError("read rows", err))
		}
	}
}

// reader is a table being read.
type reader struct {
	conn   *pgx.Conn
	result *pgconn.ResultReader
	row    *row
}

// errMoved means that the table is not what it was when the snapshot of the run was taken.
var errMoved = errors.New("the table was rewritten since the run began")

// open begins to read: from the snapshot of the run, or from one of its own where that is not
// possible.
func (p *part) open(ctx context.Context) (*reader, error) {
	if p.snapshot != "" && !p.db.apart.Load() {
		r, err := p.openFrom(ctx, p.snapshot)
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, errNoSnapshot):
			p.db.readApart(err)
		case errors.Is(err, errMoved) || state(err) == codeNoColumn:
			p.db.log.Warn("the table changed since the run began, so it is read as of now", "part", p.scope)
		default:
			return nil, err
		}
	}
	return p.openFrom(ctx, "")
}

// errNoSnapshot means that the snapshot of the run cannot be used.
var errNoSnapshot = errors.New("the snapshot cannot be used")

// openFrom begins to read from the named snapshot, or from a new one.
func (p *part) openFrom(ctx context.Context, snapshot string) (_ *reader, err error) {
	conn, err := p.db.connect(ctx)
	if err != nil {
		return nil, p.connectError(err)
	}
	defer func() {
		if err != nil {
			hangUp(ctx, conn)
		}
	}()
	if err := beginTx(ctx, conn, snapshot); err != nil {
		if snapshot != "" && state(err) != "" && !temporary(state(err)) {
			return nil, fmt.Errorf("%w: %w", errNoSnapshot, told(err))
		}
		return nil, p.tableError("begin a transaction", err)
	}
	// The lock keeps the columns as they are until the end. It comes before the first query, so that
	// a new snapshot sees what the lock protects.
	if _, err := conn.PgConn().Exec(ctx, "LOCK TABLE ONLY "+quoteTable(p.rel.schema, p.rel.name)+" IN ACCESS SHARE MODE").ReadAll(); err != nil {
		return nil, p.tableError("lock the table against changes", err)
	}
	oid, unmoved, err := p.identify(ctx, conn)
	if err != nil {
		return nil, p.tableError("look the table up", err)
	}
	if snapshot != "" && (!unmoved || oid != p.rel.oid) {
		return nil, errMoved
	}
	t, err := p.describe(ctx, conn, oid)
	if err != nil {
		return nil, err
	}
	result := conn.PgConn().ExecParams(ctx, t.query(p), nil, nil, nil, nil) // no formats: text
	if result.FieldDescriptions() == nil {
		if _, err := result.Close(); err != nil {
			return nil, p.tableError("read rows", err)
		}
	}
	return &reader{conn: conn, result: result, row: p.newRow(t)}, nil
}

// connectError adds the part to an error of connecting.
func (p *part) connectError(err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: e.Kind, Part: p.scope, Err: e.Err, Hint: e.Hint}
	}
	return &source.Error{Part: p.scope, Err: err}
}

// identifyQuery tells which table has the name now, and whether its storage, and that of its
// partitions, is what the snapshot saw. Commands that rewrite or truncate a table change that, and
// to an older snapshot the table then looks empty, see
// https://www.postgresql.org/docs/current/mvcc-caveats.html.
const identifyQuery = `
SELECT $1::text::regclass::oid, NOT EXISTS (
  SELECT FROM pg_catalog.pg_class c
  WHERE (c.oid = $1::text::regclass
      OR c.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1::text::regclass) t))
    AND c.relkind = 'r' AND c.relfilenode <> 0
    AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid))`

func (p *part) identify(ctx context.Context, conn *pgx.Conn) (oid uint32, unmoved bool, err error) {
	err = conn.QueryRow(ctx, identifyQuery, quoteTable(p.rel.schema, p.rel.name)).Scan(&oid, &unmoved)
	return oid, unmoved, err
}

// missing is a part that the configuration names and that does not exist. It fails, so that nothing
// of it is deleted.
type missing struct {
	scope string
	err   error
}

// Scope is what the configuration names.
func (m *missing) Scope() string { return m.scope }

// Name is the scope.
func (m *missing) Name() string { return m.scope }

// Documents fails.
func (m *missing) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, m.err) }
}
