// Package tdstest is a server that speaks TDS 7.4, the protocol of Microsoft SQL Server, so that what
// reads from SQL Server is tested through its real driver where there is no SQL Server. It is imported
// by tests only. The protocol is that of Microsoft's open specification MS-TDS,
// https://learn.microsoft.com/openspecs/windows_protocols/ms-tds.
//
// It knows no SQL. A test says what is answered to a statement, by its exact text or by a function, and
// reads afterwards what was asked. Answers may break: an error of any number, silence, bytes that mean
// nothing, a connection that is cut. What it does not have: cursors, bulk load, MARS, output parameters,
// integrated authentication, TDS 8. A test that passes here says that the client handles the protocol,
// not that SQL Server understands the statement.
//
// Its invariant: a statement that nobody gave an answer for fails the test with its text.
package tdstest

import (
	"crypto/tls"
	"errors"
	"iter"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Encryption is what the server offers.
type Encryption uint8

const (
	// NoEncryption refuses clients that insist on it.
	NoEncryption Encryption = iota
	// EncryptLogin encrypts the login, and all else where the client wants that.
	EncryptLogin
	// EncryptAll is a server that forces encryption.
	EncryptAll
)

// Config is who may log in, and how. A login that names no database gets this one.
type Config struct {
	User, Password, Database string
	Encryption               Encryption
	// SelfMade is the certificate that SQL Server makes for itself, with a negative number.
	SelfMade bool
}

// Server is a running server. Its methods may be used from several goroutines.
type Server struct {
	t        testing.TB
	cfg      Config
	listener net.Listener
	tls      *tls.Config
	ca       []byte
	wg       sync.WaitGroup

	mu         sync.Mutex
	passwords  map[string]string // of each user
	handlers   []func(st Statement) (Result, bool)
	answers    []*answer
	refusals   []Message
	statements []Statement
	logins     []Login
	conns      map[net.Conn]*session
	sessions   int
	closed     bool
	ended      []func(session int)
}

// Login is an attempt to log in, whether it succeeded or not.
type Login struct {
	User, Database string
	App            string // the name of the client's program
	ReadOnly       bool   // the client says that it only reads (ApplicationIntent)
	Encrypted      bool   // the login came encrypted
}

// Result is an answer. It is sent in the order of its fields: columns, rows, information, then the
// fault if there is one, then the error, or the end, then the next result.
type Result struct {
	Columns []Column
	// Rows hold a value for each column, nil for NULL: integers, bool for bit, floats; digits as a string
	// for decimal and money; time.Time; a string for uniqueidentifier, characters and XML; []byte for
	// binary types and UDT, and for characters whose bytes are to be sent as they are; [Variant].
	Rows [][]any
	// Stream makes more rows while they are sent.
	Stream iter.Seq[[]any]
	// Affected is the count of a statement without columns.
	Affected int64
	Info     []Message
	Fault    Fault
	// Error of a class of 20 and above has the result thrown away and closes the connection, as a server
	// does with a session that is killed.
	Error *Message
	// Before are errors that come before Error, for one mistake may have several.
	Before []Message
	// Rollback says that the transaction is over, as errors 1205 and 3960 do.
	Rollback bool
	// Next is another result of the same statement.
	Next *Result
	// Wait is silence until the channel is closed; then the answer is what Then makes, in place of all else
	// of this one. A client that cancels meanwhile is answered.
	Wait <-chan struct{}
	Then func() Result
	// Done is called once the answer is over, however it ended.
	Done func()
}

// Fault is what goes wrong behind the rows of an answer.
type Fault struct {
	// Stall is silence until the channel is closed. A client that cancels is answered.
	Stall <-chan struct{}
	// Tokens are bytes in place of the answer's end, in a packet as it should be; the connection stays.
	Tokens []byte
	// Wire are bytes without a packet around them; the connection is closed behind them.
	Wire []byte
	// Cut closes the connection.
	Cut bool
	// CutBytes closes it as soon as so many bytes of the whole answer were sent, headers counted. Of an
	// answer of several results it is that of the first.
	CutBytes int
}

// When is which requests an answer is for.
type When struct {
	// Params are the values that the parameters must have, as [Param.Value] has them, though any
	// integer and float will do; nil is any parameters.
	Params []any
	// Times is how often the answer is given; zero is always.
	Times int
}

// answer is one that was given to the server.
type answer struct {
	sql  string
	when When
	left int
	make func(params []Param) Result
}

// New starts a server that ends with the test.
func New(t testing.TB, cfg Config) *Server {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, cfg: cfg, listener: listener, conns: map[net.Conn]*session{}}
	s.passwords = map[string]string{cfg.User: cfg.Password}
	if cfg.Encryption != NoEncryption {
		if s.tls, s.ca, err = newCertificate(cfg.SelfMade); err != nil {
			t.Fatal(err)
		}
	}
	s.wg.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

// accept ends when the listener is closed.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.sessions++
		c := &session{server: s, number: s.sessions, conn: conn, raw: conn, events: make(chan message)}
		s.conns[conn] = c
		s.mu.Unlock()
		s.wg.Go(func() { s.serve(c) })
	}
}

func (s *Server) serve(c *session) {
	err := c.run()
	_ = c.raw.Close()
	s.mu.Lock()
	delete(s.conns, c.raw)
	closed, ended := s.closed, slices.Clone(s.ended)
	s.mu.Unlock()
	for _, f := range ended {
		f(c.number)
	}
	if bad := (*protocolError)(nil); errors.As(err, &bad) && !closed {
		s.t.Errorf("tdstest: session %d: %v", c.number, err)
	}
}

func (s *Server) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.Disconnect()
	s.wg.Wait()
}

// Disconnect cuts every connection, as a server does that is started anew.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// Kill cuts the connection of one session, by its number in [Statement].
func (s *Server) Kill(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn, c := range s.conns {
		if c.number == number {
			_ = conn.Close()
		}
	}
}

// Sessions are the users of the sessions that are logged in, by their numbers.
func (s *Server) Sessions() map[int]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := map[int]string{}
	for _, c := range s.conns {
		if c.user != "" {
			users[c.number] = c.user
		}
	}
	return users
}

// Ended has f called when a session is over. Each calls it on a goroutine of its own.
func (s *Server) Ended(f func(session int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, f)
}

// Addr is the address that the server listens on, host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// CA is the certificate of a server with encryption, as PEM. It is valid for the name localhost and
// not for 127.0.0.1.
func (s *Server) CA() []byte { return s.ca }

// DSN is the connection string of github.com/microsoft/go-mssqldb with the right login. Encryption is
// asked for only for the login, and no certificate is verified.
func (s *Server) DSN() string {
	u := url.URL{
		Scheme: "sqlserver", Host: s.Addr(), User: url.UserPassword(s.cfg.User, s.cfg.Password),
		RawQuery: url.Values{
			"database": {s.cfg.Database}, "encrypt": {"false"}, "TrustServerCertificate": {"true"},
		}.Encode(),
	}
	return u.String()
}

// AddLogin lets another user log in.
func (s *Server) AddLogin(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passwords[user] = password
}

// Handle has f asked for the answer of every statement, those of transactions included, before what was
// given by text is looked at; false is none of it. Of several functions the last one is asked first. Each
// connection asks on a goroutine of its own.
func (s *Server) Handle(f func(st Statement) (Result, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers = append(s.handlers, f)
}

// Answer gives the answer to a statement, whatever its parameters. Spaces around the text do not count.
// Of several answers that fit the last one counts.
func (s *Server) Answer(sql string, r Result) { s.AnswerWhen(sql, When{}, r) }

// AnswerWhen is [Server.Answer] for certain parameters, or for some time.
func (s *Server) AnswerWhen(sql string, when When, r Result) {
	s.add(sql, when, func([]Param) Result { return r })
}

// AnswerFunc makes the answer of a statement from its parameters.
func (s *Server) AnswerFunc(sql string, f func(params []Param) Result) { s.add(sql, When{}, f) }

func (s *Server) add(sql string, when When, f func([]Param) Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, &answer{sql: strings.TrimSpace(sql), when: when, left: when.Times, make: f})
}

// RefuseLogin answers the next login with an error, however right it is. Called again, the one after that.
func (s *Server) RefuseLogin(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, m)
}

// Statements lists what was asked, in the order in which it arrived.
func (s *Server) Statements() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statements)
}

// Logins lists the attempts to log in.
func (s *Server) Logins() []Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

// find notes a statement and returns its answer.
func (s *Server) find(st Statement) (Result, bool) {
	s.mu.Lock()
	s.statements = append(s.statements, st)
	handlers := slices.Clone(s.handlers)
	s.mu.Unlock()
	for _, f := range slices.Backward(handlers) {
		if r, ok := f(st); ok {
			return r, true
		}
	}
	return s.byText(st)
}

func (s *Server) byText(st Statement) (Result, bool) {
	s.mu.Lock()
	var found *answer
	for _, a := range slices.Backward(s.answers) {
		if a.sql == st.SQL && a.fits(st.Params) && (a.when.Times == 0 || a.left > 0) {
			a.left--
			found = a
			break
		}
	}
	s.mu.Unlock()
	if found == nil {
		return Result{}, false
	}
	return found.make(st.Params), true
}

func (a *answer) fits(params []Param) bool {
	if a.when.Params == nil {
		return true
	}
	return slices.EqualFunc(a.when.Params, params, func(want any, got Param) bool {
		rv := reflect.ValueOf(want)
		switch {
		case rv.CanInt():
			want = rv.Int()
		case rv.CanFloat():
			want = rv.Float()
		}
		return cmp.Equal(want, got.Value)
	})
}

// admit judges a login: no message is yes.
func (s *Server) admit(l login, encrypted bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = append(s.logins, Login{User: l.user, Database: l.database, App: l.app, ReadOnly: l.readOnly, Encrypted: encrypted})
	if len(s.refusals) > 0 {
		m := s.refusals[0]
		s.refusals = s.refusals[1:]
		return []Message{m}
	}
	failed := Message{Number: errorLogin, State: 1, Class: 14, Text: "login failed for user '" + l.user + "'"}
	password, known := s.passwords[l.user]
	switch {
	case !known || l.password != password:
		return []Message{failed}
	case l.database != "" && !strings.EqualFold(l.database, s.cfg.Database):
		return []Message{
			{Number: errorDatabase, State: 1, Class: 11, Text: "cannot open the database '" + l.database + "' of the login"}, failed,
		}
	}
	return nil
}
