// Package mssqltest is a small database that responds as Microsoft SQL Server does, over the protocol that tdstest
// speaks. It tests the source for SQL Server where no SQL Server is available. Only tests import it.
//
// It answers a closed set of statements. First, those of the source: its queries of the catalog, its transactions,
// and reading one table from a key on. Second, those that set up test databases: tables with keys and types, views,
// rows, rights, and changes of them. It compares and sorts as SQL Server does, except for texts sorted by the rules
// of a language: they are sorted by their code points, ignoring case if the collation does. It does not compute, join
// or group: a test sets the responses to such queries, see [Server.Fixture]. It does not refuse what no test does, such
// as a second row with the same key, or dropping a table that does not exist.
//
// A test that passes here shows that the source handles a server that follows Microsoft's documentation, as this
// package interprets it. It does not show that SQL Server does.
//
// Its invariant: any other statement fails the test, which reports it, and returns error 102 to the client.
package mssqltest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// Config is the configuration of the server.
type Config struct {
	Database      string // its only database; "" is shop
	Encryption    tdstest.Encryption
	SelfMade      bool // see [tdstest.Config]
	NoSnapshots   bool // snapshot isolation is not allowed in the database
	Old           bool // a server from before 2016, which has no temporal tables and no hidden columns
	NoLedger      bool // a server from before 2022
	NoDatabaseRow bool // the server hides from a login the row of its own database
}

// Break is a fault in a statement that reads rows of a table.
type Break struct {
	Table    string
	After    int // rows before the fault
	Fault    tdstest.Fault
	Error    *tdstest.Message
	Rollback bool // the error ends the transaction
}

// Server is a running database. Its methods may be used from several goroutines.
type Server struct {
	t   testing.TB
	cfg Config
	tds *tdstest.Server

	mu        sync.Mutex
	objects   map[string]*object // by name, ignoring case
	schemas   map[string]bool    // in lower case
	lastID    int64
	ddl       int64 // number of structural changes
	snapshots bool  // snapshot isolation is allowed
	versions  bool  // if on, a statement reads rows as they were committed when it began
	users     map[string]*user
	sessions  map[int]*session
	locks     map[string]*lock
	waiting   []chan struct{}
	breaks    []Break
	fixtures  map[string]relation
	endless   map[string]bool   // fixtures that never end
	marks     map[string]string // the kinds of special tables
}

const (
	ownerPassword = "Owner-Secret-1"
	firstID       = 581577110 // of the first object; ids of objects are large
)

// New starts a server that ends with the test.
func New(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.Database == "" {
		cfg.Database = "shop"
	}
	d := &Server{
		t: t, cfg: cfg, objects: map[string]*object{}, schemas: map[string]bool{"dbo": true}, lastID: firstID, snapshots: !cfg.NoSnapshots,
		users: map[string]*user{}, sessions: map[int]*session{}, locks: map[string]*lock{}, fixtures: map[string]relation{}, endless: map[string]bool{}, marks: map[string]string{},
	}
	d.tds = tdstest.New(t, tdstest.Config{User: ownerName, Password: ownerPassword, Database: cfg.Database, Encryption: cfg.Encryption, SelfMade: cfg.SelfMade})
	d.tds.Handle(func(st tdstest.Statement) (tdstest.Result, bool) { return d.answer(st), true })
	d.tds.Ended(d.end)
	return d
}

// DSN is the connection string of the user with all privileges, for github.com/microsoft/go-mssqldb.
func (d *Server) DSN() string { return d.tds.DSN() }

// Mark sets the kind of a table of the schema dbo, such as a ledger history table.
func (d *Server) Mark(table, kind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks[keyOf(objectName{schema: "dbo", name: table})] = kind
}

// TDS is the server of the protocol, with its logins, statements and certificate.
func (d *Server) TDS() *tdstest.Server { return d.tds }

// Fixture sets the response to a query that this database cannot compute, whatever its tables hold: columns as they
// are declared, such as id int, name nvarchar(9), and rows of values as written in a statement, such as (1, N'x').
func (d *Server) Fixture(query, columns, rows string) {
	d.t.Helper()
	of := relation{}
	p := &parser{tokens: lex(columns)}
	of.columns = series(p, p.column)
	values, in := &parser{tokens: lex(rows)}, &scope{}
	if rows != "" {
		for _, row := range values.rows() {
			out := make([]any, len(row))
			for i, e := range row {
				out[i] = in.assigned(&of.columns[i], e)
			}
			of.rows = append(of.rows, out)
		}
	}
	if err := errors.Join(p.err, values.err, in.err); err != nil {
		d.t.Fatalf("mssqltest: the fixture of %q: %v", query, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fixtures[normal(query)] = of
}

// Endless is a fixture of a query whose first row never comes.
func (d *Server) Endless(query, columns string) {
	d.t.Helper()
	d.Fixture(query, columns, "")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endless[normal(query)] = true
}

// Break breaks the next statement that reads rows of the table and is not the owner's. Several breaks of a table
// apply one after another.
func (d *Server) Break(b Break) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.breaks = append(d.breaks, b)
}

// normal is a statement with its blanks normalized.
func normal(sql string) string {
	return strings.TrimRight(strings.Join(strings.Fields(sql), " "), "; ")
}

// Understands returns nil for a statement that this database answers, and otherwise the reason why it does not.
func Understands(sql string) error {
	_, err := parse(sql)
	return err
}

// answer answers a statement.
func (d *Server) answer(st tdstest.Statement) tdstest.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[st.Session]
	if s == nil {
		s = &session{server: d, user: st.User, patience: -1}
		d.sessions[st.Session] = s
	}
	if st.Reset {
		s.reset()
	}
	s.running = st.SQL
	r := s.run(st)
	r.Done = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		s.running = ""
	}
	return r
}

// end releases the locks and other resources of a session.
func (d *Server) end(number int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[number]; s != nil {
		s.rollback()
		delete(d.sessions, number)
	}
}

// errorResult is the response for an error.
func errorResult(err error) tdstest.Result {
	f := (*failure)(nil)
	if !errors.As(err, &f) {
		f = &failure{number: 102, class: 15, text: err.Error()}
	}
	r := tdstest.Result{Error: f.message()}
	for f = f.before; f != nil; f = f.before {
		r.Before = slices.Insert(r.Before, 0, *f.message())
	}
	return r
}

func (f *failure) message() *tdstest.Message {
	return &tdstest.Message{Number: f.number, Class: f.class, State: 1, Text: f.text}
}

// lock is the changes of an open transaction.
type lock struct {
	by        *session
	structure bool // not only rows, so no other session can read it
}

// free wakes the sessions that wait for a lock.
func (d *Server) free() {
	for _, w := range d.waiting {
		close(w)
	}
	d.waiting = nil
}

// lockedError means that the statement has to wait.
type lockedError struct{}

func (lockedError) Error() string { return "another session has a lock" }

// later answers a statement once a lock is released, or gives up once the session's lock timeout is over.
func (s *session) later(again func() tdstest.Result) tdstest.Result {
	d := s.server
	switch {
	case s.patience < 0:
	case s.deadline.IsZero():
		s.deadline = time.Now().Add(s.patience)
		time.AfterFunc(s.patience, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.free()
		})
	case !time.Now().Before(s.deadline):
		return errorResult(failed(1222, 16, "lock request time out period exceeded"))
	}
	until := make(chan struct{})
	d.waiting = append(d.waiting, until)
	return tdstest.Result{Wait: until, Then: func() tdstest.Result {
		d.mu.Lock()
		defer d.mu.Unlock()
		return again()
	}}
}
