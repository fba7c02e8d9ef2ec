package sqlread

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// What a paper database can answer with in place of rows, or after some.
var (
	errLost    = io.ErrUnexpectedEOF
	errRefused = errors.New("refused")
	errTooMany = errors.New("too many connections")
	errBusy    = errors.New("busy")
	errWrong   = errors.New("wrong")
)

// paper is a database on paper, whose tables have a key id and a column v. Statements are answered by their texts.
type paper struct {
	*Database[*paperSession, driver.Value]
	tables TableList

	rows     map[string][]int64 // ids of each table, in their order
	declared string             // the type of v
	asked    []string           // statements, with their arguments
	ends     map[string][]error // what the next statements about a table end with, after two rows each
	dials    []error            // what the next attempts to connect end with
	opened   int                // sessions
	begun    []*paperSession    // those that the run began with
}

type paperSession struct {
	Conn
	db     *paper
	number int
	closed bool
	ended  bool // as one that may still run something
	dead   bool // it hangs up when it is next asked
}

// newPaper makes a database with tables of so many rows; tables is the table list.
func newPaper(t *testing.T, env source.Env, tables string, rows map[string]int64) *paper {
	t.Helper()
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	c, err := Double.ReadConfig(env)
	if err != nil {
		t.Fatal(err)
	}
	d := &paper{rows: map[string][]int64{}, ends: map[string][]error{}, declared: "text"}
	if d.tables, err = Double.ParseTables(strings.Split(tables, ",")); err != nil {
		t.Fatal(err)
	}
	for name, n := range rows {
		d.rows[name] = []int64{}
		for id := range n {
			d.rows[name] = append(d.rows[name], id+1)
		}
	}
	is := func(targets ...error) func(error) bool {
		return func(err error) bool {
			for _, target := range targets {
				if errors.Is(err, target) {
					return true
				}
			}
			return false
		}
	}
	d.Database = NewDatabase(d, c, Server{Product: "paper", Timeout: time.Minute, Attempts: link.Attempts{Most: 3, Worth: is(errBusy)}}, Verdicts{
		Coded: is(errRefused, errTooMany, errBusy, errWrong), Refused: is(errRefused), Temporary: is(errBusy, errTooMany), HungUp: is(errLost),
		TooMany: is(errTooMany), Changed: is(ErrTableChanged), Text: func(err error) string { return err.Error() },
	})
	d.Attempts.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return d
}

// Close and the others make it a connection of a driver.
func (s *paperSession) Close() error                        { s.closed = true; return nil }
func (s *paperSession) Begin() (driver.Tx, error)           { return nil, errDriver }
func (s *paperSession) Prepare(string) (driver.Stmt, error) { return nil, errDriver }
func (s *paperSession) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, errDriver
}

func (s *paperSession) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, errDriver
}

func (s *paperSession) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &paperStatement{s, query}, nil
}

type paperStatement struct {
	session *paperSession
	query   string
}

func (s *paperStatement) Close() error                               { return nil }
func (s *paperStatement) NumInput() int                              { return -1 }
func (s *paperStatement) Exec([]driver.Value) (driver.Result, error) { return nil, errDriver }
func (s *paperStatement) Query([]driver.Value) (driver.Rows, error)  { return nil, errDriver }

// QueryContext answers with the rows after the id that is the last argument.
func (s *paperStatement) QueryContext(_ context.Context, args []driver.NamedValue) (driver.Rows, error) {
	db, after := s.session.db, int64(0)
	text := s.query
	for _, a := range args {
		after, _ = a.Value.(int64)
		text += fmt.Sprintf(" -- %v", a.Value)
	}
	db.asked = append(db.asked, text)
	if s.session.dead {
		return nil, errLost
	}
	_, name, _ := strings.Cut(s.query, " FROM ")
	name = strings.Trim(strings.Fields(name)[0], `"`)
	r := &paperRows{}
	if ends := db.ends[name]; len(ends) > 0 {
		r.end, db.ends[name], r.left = ends[0], ends[1:], 2
	}
	for _, id := range db.rows[name] {
		if id > after {
			r.ids = append(r.ids, id)
		}
	}
	return r, nil
}

type paperRows struct {
	ids  []int64
	end  error // nil: after all rows
	left int   // rows before it
}

func (r *paperRows) Columns() []string { return []string{"id", "v"} }
func (r *paperRows) Close() error      { return nil }

func (r *paperRows) Next(row []driver.Value) error {
	switch {
	case r.end != nil && r.left == 0:
		return r.end
	case len(r.ids) == 0:
		return io.EOF
	}
	r.left--
	row[0], row[1] = r.ids[0], fmt.Sprintf("value %d", r.ids[0])
	if r.ids[0] < 0 { // as outer joins make them
		row[0] = nil
	}
	r.ids = r.ids[1:]
	return nil
}

// From here on it is a [Dialect].

func (d *paper) Dial(ctx context.Context) (*paperSession, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(d.dials) > 0 {
		err := d.dials[0]
		if d.dials = d.dials[1:]; err != nil {
			return nil, err
		}
	}
	d.opened++
	s := &paperSession{db: d, number: d.opened}
	s.Conn = Conn{DriverConn: s, Answered: d.Verdicts.Coded}
	return s, nil
}

func (d *paper) SetUp(context.Context, *paperSession) error { return nil }
func (d *paper) ConnectError(err error) error {
	return &source.Error{Kind: source.ErrUnreachable, Err: fmt.Errorf("connect to paper: %w", err)}
}
func (d *paper) Probe(context.Context, *paperSession) error { return nil }

func (d *paper) Catalogue(context.Context, *paperSession) (*Catalogue, error) {
	c := &Catalogue{In: slog.String("database", "paper"), Where: " on paper", Hint: "write it down"}
	for name := range d.rows {
		c.Relations = append(c.Relations, Relation{
			Schema: "p", Name: name, Kind: KindTable, Shown: name, Scope: name, Entry: [2]string{"", name}, Estimate: int64(len(d.rows[name])),
		})
	}
	return c, nil
}

func (d *paper) Wants(r *Relation) bool { return d.tables.Asks(r) }
func (d *paper) Unmatched(c *Catalogue) []source.Part {
	return d.Config.Unmatched(&d.tables, c.Relations, func(u Unknown) source.Part { return u.Missing(u.Entry.Text, "p", "", "") })
}

func (d *paper) Select(c *Catalogue, r *Rule) (*Selection, []string, error) {
	s, missing := r.Select(c.Relations, func(e *Entry, rel *Relation) bool { return e.Match(rel.Schema, rel.Name) })
	return s, missing, nil
}

func (d *paper) Combined(s *Selection) Relation {
	return Relation{Name: strings.Join(s.Names(), "_"), Scope: strings.Join(s.Names(), "+")}
}

func (d *paper) Begin(ctx context.Context, first *paperSession, tables []*paperPart) ([]*paperPart, error) {
	sessions, err := d.More(ctx, first, len(tables))
	for _, s := range sessions {
		d.Snapshots.Add()
		d.Snapshots.Put(s)
	}
	d.begun = sessions
	return tables, err
}

func (d *paper) Enter(context.Context, *paperSession) error { return nil }
func (d *paper) Check(_ context.Context, _ *paperSession, p *paperPart) error {
	for text, err := range map[string]error{"refused": errRefused, "busy": errBusy, "wrong": errWrong, "ours": p.QueryError(errWrong, "of ours")} {
		if strings.Contains(p.Rule.Query, text) {
			return p.Checked(err, "write another")
		}
	}
	return nil
}

func (d *paper) Restore(context.Context, *paperSession) bool { return true }
func (d *paper) Usable(_ context.Context, _ *paperSession, err error) bool {
	return err == nil || d.Verdicts.Coded(err)
}

func (d *paper) End(_ context.Context, s *paperSession) {
	s.ended = true
	s.HangUp()
}

func (d *paper) Open(ctx context.Context, p *paperPart) (*paperReader, error) {
	r, err := p.OpenNext(ctx, nil, nil)
	return r, p.Failed("begin to read", err)
}

func (d *paper) Start(ctx context.Context, r, before *paperReader, _ error) error {
	if r.Part.Rule != nil {
		key, err := r.Part.KeyNames(ctx, r.Session, strings.Compare)
		if err != nil {
			return err
		}
		r.Table = &paperTable{Columns: d.columns()}
		if err := r.Part.SetKey(r.Table, key); err != nil {
			return err
		}
		r.Row = r.Part.RowOf(r.Table)
		return r.Run(ctx, r.Part.Rule.Query, nil)
	}
	if err := r.Prepare(ctx, before); err != nil {
		return err
	}
	var args []driver.Value
	condition := r.At.Condition(func(i int, operator string) string {
		args = append(args, r.At.Key[i])
		return Double.Ident(r.Table.Columns[r.Table.Key[i]].Name) + " " + operator + " ?"
	})
	return r.Run(ctx, r.Table.Select(Double, Double.Ident(r.Part.Rel.Name), condition), args)
}

func (d *paper) Abandon(r *paperReader, _ bool, lost error) error {
	return errors.Join(lost, r.Result.Close())
}
func (d *paper) Resumable(*paperReader, error) bool { return true }

func (d *paper) columns() []Column[driver.Value] {
	text := func(v driver.Value) (document.Value, string) { return document.String(fmt.Sprint(v)), "" }
	return []Column[driver.Value]{
		{Name: "id", Type: Type[driver.Value]{Value: text, Bind: "?", Declared: "int", Kind: source.Long, Digits: true}},
		{Name: "v", Type: Type[driver.Value]{Value: text, Declared: d.declared}},
	}
}

func (d *paper) Describe(ctx context.Context, s *paperSession, p *paperPart) (*paperTable, error) {
	t := &paperTable{Columns: d.columns()}
	key, err := d.KeyOf(ctx, s, &p.Rel)
	if err != nil {
		return nil, err
	}
	return p.WithKey(t, key, &d.tables, nil)
}

func (d *paper) LookUp(ctx context.Context, s *paperSession, p *paperPart) (*paperTable, error) {
	if s.dead {
		return nil, errLost
	}
	return d.Describe(ctx, s, p)
}

func (d *paper) KeyOf(_ context.Context, _ *paperSession, r *Relation) ([]string, error) {
	if strings.HasPrefix(r.Name, "keyless") {
		return nil, nil
	}
	return []string{"id"}, nil
}

func (d *paper) DeclaredKey(r *Relation) []string { return d.Declared(r.Shown, "p."+r.Name) }

func (d *paper) Documents(p *paperPart, t *paperTable) (Documents, []Renamed) {
	names, renamed := t.FieldNames(d.Profile, "")
	return &Row{
		Table: t, Record: NewRecord(nil, names, t.Key, d.Profile == Native),
		ID: ID[driver.Value]{Profile: d.Profile, Prefix: p.Rel.Name, Values: paperValues},
	}, renamed
}

var paperValues = Values[driver.Value]{
	Null:   Null,
	Append: func(dst []byte, v driver.Value) []byte { return fmt.Append(dst, v) },
	Zero:   func(v driver.Value) bool { return v == int64(0) },
}

func (d *paper) Explain(_ *paperPart, e *source.Error, err error) {
	if errors.Is(err, errRefused) {
		e.Hint = "ask for it"
	}
}

type (
	paperPart   = Part[*paperSession, driver.Value]
	paperReader = Reader[*paperSession, driver.Value]
	paperTable  = Table[driver.Value]
)

var _ Dialect[*paperSession, driver.Value] = (*paper)(nil)
