package sqlread

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

// Config is the part of a source's environment that every SQL source needs.
type Config struct {
	Log       *slog.Logger
	IDColumns map[string][]string
	Rules     []Rule
	Profile   Profile
	Compat    bool // the encoding is compat
	IDsOnly   bool // the columns of the key are enough
}

// ReadConfig reads it.
func (q Quote) ReadConfig(env source.Env) (c Config, err error) {
	c = Config{Log: env.Log, IDColumns: env.IDColumns, IDsOnly: env.IDsOnly}
	if c.Rules, err = q.ParseRules(env.AdvancedRules); err != nil {
		return c, err
	}
	if c.Profile, err = ProfileOf(env); err != nil {
		return c, err
	}
	c.Compat, err = Compatible(env)
	return c, err
}

// Declared are the columns that the configuration names for a table, under the first of its names that occurs.
func (c *Config) Declared(names ...string) []string {
	for _, name := range names {
		if columns, ok := c.IDColumns[name]; ok {
			return columns
		}
	}
	return nil
}

// Unmatched returns a part for each name of a table list that matches none of the relations.
func (c *Config) Unmatched(l *TableList, relations []Relation, part func(u Unknown) source.Part) (parts []source.Part) {
	known := make([]Known, len(relations))
	for i := range relations {
		known[i] = relations[i].Known()
	}
	for _, u := range l.Unknown(known, c.Log) {
		parts = append(parts, part(u))
	}
	return parts
}

// Reduced removes the columns of a table that ids do not need, if only ids are read.
func Reduced[V any](c *Config, t *Table[V]) *Table[V] {
	if c.IDsOnly {
		return t.Reduced()
	}
	return t
}

// Server defines how to reach a server.
type Server struct {
	Product  string // in messages
	Timeout  time.Duration
	Stall    time.Duration
	DialNet  func(ctx context.Context, network, address string) (net.Conn, error)
	Attempts link.Attempts // to connect; if Worth is nil, as [Verdicts.WorthRetrying] reports
}

// Database is a database that is read through a driver of database/sql. Use [NewDatabase].
type Database[S Session, V any] struct {
	Config
	Server
	Verdicts  Verdicts
	Snapshots *Pool[S]
	Mended    Mended

	dialect Dialect[S, V]
	// apart is set once a part had to take its own snapshot, so that the warning is logged once.
	apart atomic.Bool
}

// keepAlive is how often idle connections are checked.
const keepAlive = 30 * time.Second

// NewDatabase creates a database from a dialect.
func NewDatabase[S Session, V any](dialect Dialect[S, V], c Config, s Server, v Verdicts) *Database[S, V] {
	dialer := net.Dialer{Timeout: s.Timeout, KeepAlive: keepAlive}
	s.DialNet, s.Attempts.Pause, s.Attempts.Log, s.Attempts.Shorten = dialer.DialContext, link.Pause, c.Log, v.Shorten
	if s.Attempts.Worth == nil {
		s.Attempts.Worth = v.WorthRetrying
	}
	return &Database[S, V]{Config: c, Server: s, Verdicts: v, Snapshots: NewPool[S](), dialect: dialect}
}

// Watch dials a connection that ends when the other end is silent for too long, and stores it in below.
func (s *Server) Watch(below **link.Watched) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := s.DialNet(ctx, network, address)
		if err != nil {
			return nil, err
		}
		*below = &link.Watched{Conn: conn, Limit: s.Stall}
		return *below, nil
	}
}

// Connect opens a session. Temporary errors are retried.
func (d *Database[S, V]) Connect(ctx context.Context) (none S, err error) {
	s, err := link.Connect(ctx, d.Attempts, d.connectOnce)
	switch {
	case err == nil:
		return s, nil
	case ctx.Err() != nil:
		return none, fmt.Errorf("connect to %s: %w", d.Product, err)
	}
	return none, d.dialect.ConnectError(err)
}

// connectOnce opens a session and sets it up, within a time limit for the server's response.
func (d *Database[S, V]) connectOnce(ctx context.Context) (none S, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	s, err := d.dialect.Dial(ctx)
	if err != nil {
		return none, err
	}
	if err := d.dialect.SetUp(ctx, s); err != nil {
		err = s.Link().Cause(err)
		s.HangUp()
		return none, err
	}
	return s, nil
}

// Ping connects and selects a constant.
func (d *Database[S, V]) Ping(ctx context.Context) error {
	s, err := d.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	if err := d.dialect.Probe(ctx, s); err != nil {
		return d.Verdicts.Ask("select a constant", err)
	}
	return nil
}

// Close ends all snapshots and connections.
func (d *Database[S, V]) Close() error {
	d.Snapshots.Close()
	return nil
}

// Parts lists the existing tables, and takes the snapshots of the run before it yields the first part.
func (d *Database[S, V]) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return Parts(ctx, d.list)
}

// list lists the parts. The session that it begins with is one of those that parts are read from.
func (d *Database[S, V]) list(ctx context.Context) ([]source.Part, error) {
	first, err := d.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, err := d.dialect.Catalogue(ctx, first)
	if err != nil {
		first.HangUp()
		return nil, d.Verdicts.Ask("list the tables", err)
	}
	tables, parts, err := d.Plan(c)
	if err != nil {
		first.HangUp()
		return nil, err
	}
	if tables, err = d.dialect.Begin(ctx, first, tables); err != nil {
		return nil, err
	}
	for _, p := range tables {
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		d.Log.Warn("no table to read", c.In.Key, c.In.Value)
	}
	return parts, nil
}

// Plan returns the parts: one for each requested table, and one that fails for each name that matches none.
func (d *Database[S, V]) Plan(c *Catalogue) (tables []*Part[S, V], missing []source.Part, err error) {
	if c.Err != nil {
		return nil, nil, c.Err
	}
	if len(d.Rules) > 0 {
		tables, err = d.selections(c)
		return tables, c.Missing, err
	}
	for i := range c.Relations {
		if r := &c.Relations[i]; r.Why == "" && d.dialect.Wants(r) {
			tables = append(tables, d.Part(*r, nil))
		}
	}
	return tables, append(c.Missing, d.dialect.Unmatched(c)...), nil
}

// selections returns a part for each rule.
func (d *Database[S, V]) selections(c *Catalogue) (parts []*Part[S, V], err error) {
	var missing []string
	for i := range d.Rules {
		s, lacks, err := d.dialect.Select(c, &d.Rules[i])
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacks...)
		parts = append(parts, d.Part(d.dialect.Combined(s), s))
	}
	if len(missing) > 0 {
		return nil, AbsentError(missing, c.Where, c.Hint)
	}
	return parts, nil
}

// Validate checks the advanced rules, without running their queries. Everything else that can be checked
// without reading was checked when the source was opened.
func (d *Database[S, V]) Validate(ctx context.Context) error {
	if len(d.Rules) == 0 {
		return nil
	}
	s, err := d.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.HangUp()
	if err := d.dialect.Enter(ctx, s); err != nil {
		return d.Verdicts.Ask("begin a transaction", err)
	}
	c, err := d.dialect.Catalogue(ctx, s)
	if err != nil {
		return d.Verdicts.Ask("list the tables", err)
	}
	parts, _, err := d.Plan(c)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := d.dialect.Check(ctx, s, p); err != nil {
			return err
		}
	}
	return nil
}

// ReadApart logs, once, that not all parts are read from the snapshots of the beginning.
func (d *Database[S, V]) ReadApart() {
	if !d.apart.Swap(true) {
		d.Log.Warn("reading a part from a later snapshot, because the snapshots of the run are in use or lost")
	}
}

// Acquire acquires a session with a snapshot: one of the run, or if all are in use a new one, whose snapshot is later.
// If the server allows no further connection, it waits for a session of the run.
func (d *Database[S, V]) Acquire(ctx context.Context, _ *Part[S, V]) (s S, used bool, err error) {
	return d.Snapshots.Acquire(ctx, d.dialect.Late, d.Verdicts.TooMany)
}

// Late opens a session whose snapshot is taken after those of the run.
func (d *Database[S, V]) Late(ctx context.Context) (none S, err error) {
	s, err := d.Connect(ctx)
	if err != nil {
		return none, err
	}
	if err := d.dialect.Enter(ctx, s); err != nil {
		s.HangUp()
		return none, d.Verdicts.Ask("begin a transaction", err)
	}
	s.Link().AfterRun = true
	return s, nil
}

// More opens sessions in addition to the first one of a run, see [More].
func (d *Database[S, V]) More(ctx context.Context, first S, parts int) ([]S, error) {
	return More(ctx, first, parts, d.Connect, d.Verdicts.TooMany, d.Log)
}

// Fill adds the sessions that begin a run to the pool. After an error it closes them instead, and returns the error.
func (d *Database[S, V]) Fill(sessions []S, err error) error {
	for _, s := range sessions {
		if err != nil {
			s.HangUp()
			continue
		}
		d.Snapshots.Add()
		d.Snapshots.Put(s)
	}
	return err
}

// Release returns a session that has finished its work.
func (d *Database[S, V]) Release(ctx context.Context, s S) {
	if d.dialect.Restore(ctx, s) {
		d.Snapshots.Put(s)
		return
	}
	d.Discard(ctx, s)
}

// ReleaseAfter returns a session whose last result was err.
func (d *Database[S, V]) ReleaseAfter(ctx context.Context, s S, err error) {
	if d.dialect.Usable(ctx, s, err) {
		d.Release(ctx, s)
		return
	}
	d.Discard(ctx, s)
}

// Discard ends a session, and any statement it is still running.
func (d *Database[S, V]) Discard(ctx context.Context, s S) {
	d.dialect.End(ctx, s)
	d.Snapshots.Drop()
}
