package postgresql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// reader is a table being read.
type reader struct {
	conn     *pgx.Conn
	cancel   context.CancelFunc // ends the statement
	result   *pgconn.ResultReader
	table    *table
	row      *row
	snapshot string // the name of the snapshot, "" for the transaction's own
	seen     identity
	hidden   bool      // row security may hide rows
	query    bool      // it reads a query, whose rows may lack a key
	keyless  int64     // rows that were skipped because they do
	at       *position // nil if reading cannot resume after a loss
}

// rows yields the rows. It returns whether the loop was left early, and why this connection returns no
// more.
func (r *reader) rows(ctx context.Context, yield func(document.Document, error) bool) (left bool, lost error) {
	columns := len(r.table.Columns)
	for r.result.NextRow() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		raw := r.result.Values()
		if r.at != nil && !r.at.advance(raw[columns:]) {
			r.at = nil
		}
		if r.query && keyless(r.table, raw) {
			r.keyless++
			continue
		}
		if !yield(r.row.document(raw[:columns]), nil) {
			return true, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	_, err := r.result.Close()
	return false, err
}

// abandon ends the statement and its connection.
func (r *reader) abandon(ctx context.Context) {
	r.cancel()
	_, _ = r.result.Close() // its error is known, or only says that it was cut short
	hangUp(ctx, r.conn)
}

// Why a part cannot use the snapshot of the run.
var (
	errNoSnapshot = errors.New("the snapshot cannot be used")
	errMoved      = errors.New("the table was rewritten since the run began")
)

// open starts to read: from the snapshot of the run, or from a separate one if that is not
// possible.
func (p *part) open(ctx context.Context) (*reader, error) {
	if p.blocks != nil {
		return p.openRange(ctx)
	}
	if p.snapshot != "" && !p.db.apart.Load() {
		r, err := p.openFrom(ctx, p.snapshot, nil)
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, errNoSnapshot):
			p.db.readApart(err)
		case errors.Is(err, errMoved) || state(err) == codeNoColumn:
			p.db.Log.Warn("the table was altered since the run began; reading its current state", "part", p.Name())
		default:
			return nil, err
		}
	}
	r, err := p.openFrom(ctx, "", nil)
	if errors.Is(err, errMoved) {
		err = p.tableError("start reading", err)
	}
	return r, err
}

// openFrom starts to read from the named snapshot, or from a new one; if before is given, after
// its position and in the same way.
func (p *part) openFrom(ctx context.Context, snapshot string, before *reader) (_ *reader, err error) {
	conn, err := p.begin(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	r := &reader{conn: conn, cancel: cancel, snapshot: snapshot, query: p.Rule != nil}
	defer func() {
		if err != nil {
			cancel()
			hangUp(ctx, conn)
		}
	}()
	if err := p.lock(ctx, conn); err != nil {
		return nil, p.tableError("lock the table against changes", err)
	}
	if r.seen, err = p.identify(ctx, conn); err != nil {
		return nil, p.tableError("look up the table", err)
	}
	if snapshot != "" && (!r.seen.unmoved || r.seen.oid != oidOf(&p.Rel)) {
		return nil, errMoved
	}
	if r.hidden, err = p.hidesRows(ctx, r.seen); err != nil {
		return nil, err
	}
	if before != nil {
		r.table, r.row, r.at = before.table, before.row, before.at
	} else {
		if r.table, err = p.describe(ctx, conn, r.seen.oid); err != nil {
			return nil, err
		}
		r.row, r.at = p.newRow(r.table), p.start(r)
	}
	return r, p.run(running, r)
}

// run starts the statement.
func (p *part) run(ctx context.Context, r *reader) error {
	query, formats := p.query(r.table, r.at)
	r.result = r.conn.PgConn().ExecParams(ctx, query, nil, nil, nil, formats)
	fields := r.result.FieldDescriptions()
	if fields == nil {
		if _, err := r.result.Close(); err != nil {
			return p.tableError("read rows", err)
		}
	}
	if !answers(r.table, fields) {
		return errMoved
	}
	return nil
}

// resume resumes after the last row, on another connection and in the same snapshot. cause
// is why the previous connection is unusable.
func (p *part) resume(ctx context.Context, r *reader, cause error) (*reader, error) {
	failed := func(err error) error {
		if e, ok := errors.AsType[*source.Error](err); ok { // openFrom has named the operation
			return e
		}
		return p.tableError("read rows", err)
	}
	if r.at == nil || state(cause) == codeCanceled {
		return nil, failed(cause)
	}
	gone := func(err error) bool { return errors.Is(err, errNoSnapshot) || errors.Is(err, errMoved) }
	l := &link.Loss{Attempts: p.db.attempts(), Part: p.Name(), Failed: failed, Final: gone}
	return link.Resume(ctx, l, &r.at.losses, cause, func(ctx context.Context, _ error) (*reader, error) { return p.openFrom(ctx, r.snapshot, r) })
}

// begin begins a transaction on an idle or new connection. Connections that were lost while
// idle are skipped.
func (p *part) begin(ctx context.Context, snapshot string) (*pgx.Conn, error) {
	for {
		conn := p.db.reuse(ctx)
		used := conn != nil
		if !used {
			var err error
			if conn, err = p.db.connect(ctx); err != nil {
				return nil, p.connectError(err)
			}
		}
		err := p.db.beginTx(ctx, conn, snapshot)
		if err == nil {
			return conn, nil
		}
		hangUp(ctx, conn)
		code := state(err)
		switch lost := code == "" || temporary(code); {
		case used && lost && ctx.Err() == nil:
		case snapshot != "" && !lost:
			return nil, fmt.Errorf("%w: %w", errNoSnapshot, verdicts.Shorten(err))
		default:
			return nil, p.tableError("begin a transaction", err)
		}
	}
}

// lock keeps the columns unchanged until the end. It comes before the first query, so that a new
// snapshot sees what the lock protects. Only tables are locked: for other relations the server has no such
// lock, or requires more privileges than reading.
//
// With these settings the rows of a table arrive in the order of their places, see [position], and a
// range of them is found without reading the rest.
func (p *part) lock(ctx context.Context, conn *pgx.Conn) error {
	if p.Rule != nil {
		return p.lockTables(ctx, conn)
	}
	if !p.Rel.IsTable() {
		return nil
	}
	_, err := conn.PgConn().Exec(ctx, "SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_tidscan = on; "+
		"LOCK TABLE ONLY "+quote.Table(p.Rel.Schema, p.Rel.Name)+" IN ACCESS SHARE MODE").ReadAll()
	return err
}

// identity is the table that currently has the name.
type identity struct {
	oid uint32
	// unmoved reports whether its storage, and that of all tables below it, is unchanged since the snapshot.
	// Commands that rewrite or truncate a table change it, and to an older snapshot the table then
	// looks empty, see https://www.postgresql.org/docs/current/mvcc-caveats.html.
	unmoved bool
	several bool // there are tables below it: partitions or children
	heap    bool // it is a table, and it and the tables below use heap storage
	// secured are those of the named tables to which row security applies for the role.
	secured []uint32
}

const identifyQuery = `
WITH RECURSIVE below(oid) AS (
  SELECT $1::text::regclass::oid
  UNION
  SELECT x.oid FROM below b CROSS JOIN LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i
    WHERE i.inhparent = b.oid AND NOT ($2::bool AND b.oid = $1::text::regclass)
    UNION ALL
    SELECT d.refobjid
    FROM pg_catalog.pg_class v
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
    WHERE v.oid = b.oid AND v.relkind = 'v' AND d.refclassid = 'pg_catalog.pg_class'::regclass
  ) x(oid)
)
SELECT $1::text::regclass::oid,
       coalesce(bool_and(c.relkind <> 'r' OR c.relfilenode = 0 OR c.relfilenode IS NOT DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)), true),
       count(*) > 1,
       coalesce(bool_and(c.relkind = 'p' OR c.relkind = 'r' AND m.amname = 'heap'), false),
       pg_catalog.row_security_active($1::text::regclass::oid)
FROM below JOIN pg_catalog.pg_class c USING (oid) LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam`

// identify looks up the current meaning of the part's names.
func (p *part) identify(ctx context.Context, conn *pgx.Conn) (identity, error) {
	if p.Rule != nil {
		return p.identifyTables(ctx, conn)
	}
	return identify(ctx, conn, &p.Rel, p.only)
}

func identify(ctx context.Context, conn *pgx.Conn, rel *relation, only bool) (i identity, err error) {
	secured := false
	err = conn.QueryRow(ctx, identifyQuery, quote.Table(rel.Schema, rel.Name), only).
		Scan(&i.oid, &i.unmoved, &i.several, &i.heap, &secured)
	if secured {
		i.secured = append(i.secured, i.oid)
	}
	return i, err
}

// policiesQuery returns whether the policies that apply to the role show it every row of all tables. A table
// without any policy shows none.
const policiesQuery = `
SELECT count(*) = cardinality($1::oid[]) AND coalesce(bool_and(whole), false)
FROM (
  SELECT bool_or(polpermissive AND whole) AND bool_and(polpermissive OR whole) AS whole
  FROM (
    SELECT polrelid, polpermissive, coalesce(pg_catalog.pg_get_expr(polqual, polrelid) = 'true', false) AS whole
    FROM pg_catalog.pg_policy
    WHERE polrelid = ANY($1::oid[]) AND polcmd IN ('r', '*')
      AND EXISTS (SELECT FROM unnest(polroles) AS r(oid) WHERE r.oid = 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))
  ) AS p
  GROUP BY polrelid
) AS t`

// lockTables locks the tables of a rule that can be locked, as [part.lock] does.
func (p *part) lockTables(ctx context.Context, conn *pgx.Conn) error {
	var names []string
	for _, t := range p.Rule.Tables {
		if t.IsTable() && t.Readable {
			names = append(names, "ONLY "+quote.Table(t.Schema, t.Name))
		}
	}
	if names == nil {
		return nil
	}
	_, err := conn.PgConn().Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN ACCESS SHARE MODE").ReadAll()
	return err
}

// hidesRows reports whether row security may hide rows. The policies are read in a separate
// transaction: the current ones apply, not those of the snapshot. The lock keeps them unchanged.
func (p *part) hidesRows(ctx context.Context, i identity) (bool, error) {
	if len(i.secured) == 0 {
		return false, nil
	}
	conn, err := p.begin(ctx, "")
	if err != nil {
		return false, err
	}
	var complete bool
	// A session that waits for the table after our lock must not block this query forever.
	_, err = conn.PgConn().Exec(ctx, "SET LOCAL lock_timeout = '3s'").ReadAll()
	if err == nil {
		err = conn.QueryRow(ctx, policiesQuery, i.secured).Scan(&complete)
	}
	if err != nil {
		hangUp(ctx, conn)
		return false, p.tableError("look up the policies", err)
	}
	p.db.release(ctx, conn)
	return !complete, nil
}
