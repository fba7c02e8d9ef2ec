// Package tdstest is a server that speaks TDS 7.4, the protocol of Microsoft SQL Server. It tests programs that read
// from SQL Server through the real driver, where no SQL Server is available. Only tests import it. The protocol is
// that of Microsoft's open specification MS-TDS, https://learn.microsoft.com/openspecs/windows_protocols/ms-tds.
//
// It does not understand SQL: functions of the test return the response to each statement. Responses may break: an
// error of any number, silence, meaningless bytes, a closed connection. It has what a program needs that reads tables
// in batches and by sp_executesql. Not supported: requests of the transaction manager, calls of other procedures,
// parameters other than integers, bits, texts and bytes, columns of the type sql_variant, code pages, cursors, bulk
// load, MARS, integrated authentication, TDS 8. A test that passes here shows that the client handles the protocol,
// not that SQL Server accepts the statement.
//
// Its invariant: a statement without a response fails the test, which reports its text.
package tdstest

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Encryption is the encryption that the server offers.
type Encryption uint8

const (
	// NoEncryption refuses clients that require encryption.
	NoEncryption Encryption = iota
	// EncryptLogin encrypts the login, and everything else if the client wants that.
	EncryptLogin
	// EncryptAll requires encryption.
	EncryptAll
)

// Config is the accepted login, and how it is encrypted. A login that names no database gets this one.
type Config struct {
	User, Password, Database string
	Encryption               Encryption
	// SelfMade is a certificate such as SQL Server generates for itself, with a negative serial number.
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

	mu        sync.Mutex
	passwords map[string]string // by user
	handlers  []func(st Statement) (Result, bool)
	refusals  []Message
	logins    []Login
	conns     map[net.Conn]*session
	sessions  int
	closed    bool
	ended     func(session int)
}

// Login is an attempt to log in, successful or not.
type Login struct {
	User, Database string
	App            string // the name of the client's program
	Encrypted      bool   // the login came encrypted
}

// Result is a response. It is sent in the order of its fields: columns, rows, then the fault if there is one, then the
// error, or the end, then the next result.
type Result struct {
	Columns []Column
	// Rows have a value for each column, nil for NULL: integers, bool for bit, floats; digits as a string for decimal
	// and money; time.Time; a string for uniqueidentifier, characters and XML; []byte for binary types and UDT.
	Rows [][]any
	// Affected is the row count of a statement without columns.
	Affected int64
	Fault    Fault
	// Error. A class of 20 or above discards the result and closes the connection, as a server does with a killed
	// session.
	Error *Message
	// Before are errors that come before Error, because one mistake may cause several.
	Before []Message
	// Next is another result of the same statement.
	Next *Result
	// Wait is silence until the channel is closed; then Then returns the response, which replaces the rest of this
	// one. A client that cancels in the meantime gets a response.
	Wait <-chan struct{}
	Then func() Result
	// Done is called after the response, however it ended.
	Done func()
}

// Fault is a fault after the rows of a response.
type Fault struct {
	// Wire is bytes without a packet around them; the connection is closed after them.
	Wire []byte
	// Cut closes the connection.
	Cut bool
	// CutBytes closes the connection after so many bytes of the complete response, including headers. In a response
	// of several results, set it in the first.
	CutBytes int
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
	closed, ended := s.closed, s.ended
	s.mu.Unlock()
	if ended != nil {
		ended(c.number)
	}
	if bad := (*protocolError)(nil); errors.As(err, &bad) && !closed {
		s.t.Errorf("tdstest: session %d: %v", c.number, err)
	}
}

func (s *Server) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Kill closes the connection of one session, by its number in [Statement].
func (s *Server) Kill(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn, c := range s.conns {
		if c.number == number {
			_ = conn.Close()
		}
	}
}

// Sessions are the users of the open sessions, by the sessions' numbers.
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

// Ended calls f when a session is over, each time in a new goroutine.
func (s *Server) Ended(f func(session int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = f
}

// Addr is the address of the server, host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// CA is the certificate of a server with encryption, as PEM. It is valid for the name localhost, and not for
// 127.0.0.1.
func (s *Server) CA() []byte { return s.ca }

// DSN is the connection string of github.com/microsoft/go-mssqldb with the valid login. It requests encryption only
// for the login, and does not verify the certificate.
func (s *Server) DSN() string {
	u := url.URL{
		Scheme: "sqlserver", Host: s.Addr(), User: url.UserPassword(s.cfg.User, s.cfg.Password),
		RawQuery: url.Values{
			"database": {s.cfg.Database}, "encrypt": {"false"}, "TrustServerCertificate": {"true"},
		}.Encode(),
	}
	return u.String()
}

// AddLogin adds the login of another user.
func (s *Server) AddLogin(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passwords[user] = password
}

// Handle calls f for the response to every statement; false means that f has none. The last of several functions is
// called first. Each connection calls f in its own goroutine.
func (s *Server) Handle(f func(st Statement) (Result, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers = append(s.handlers, f)
}

// RefuseLogin answers the next login with an error, even if it is valid. A second call refuses the one after that.
func (s *Server) RefuseLogin(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, m)
}

// Logins lists the attempts to log in.
func (s *Server) Logins() []Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

// find returns the response to a statement.
func (s *Server) find(st Statement) (Result, bool) {
	s.mu.Lock()
	handlers := slices.Clone(s.handlers)
	s.mu.Unlock()
	for _, f := range slices.Backward(handlers) {
		if r, ok := f(st); ok {
			return r, true
		}
	}
	return Result{}, false
}

// admit checks a login: no message means that it is accepted.
func (s *Server) admit(l login, encrypted bool) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = append(s.logins, Login{User: l.user, Database: l.database, App: l.app, Encrypted: encrypted})
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
