package tdstest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// session is one connection.
type session struct {
	server *Server
	number int
	raw    net.Conn
	conn   io.ReadWriter // plain or encrypted
	size   int           // packet size
	user   string
	// events are the requests of the client. The channel is closed after the last one, or by its only sender when the
	// session is over.
	events chan message
}

// protocolError means that the client does not follow the protocol, or that a response of the test cannot be sent:
// both fail the test.
type protocolError struct{ err error }

func (e *protocolError) Error() string { return e.err.Error() }
func (e *protocolError) Unwrap() error { return e.err }

// errEnded ends a session on purpose.
var errEnded = errors.New("the connection is closed by the test")

func (c *session) run() error {
	if err := c.logIn(); err != nil {
		return err
	}
	over := make(chan struct{})
	read := make(chan struct{})
	go func() { // ends with the connection, which is closed below
		defer close(read)
		defer close(c.events)
		c.receive(over)
	}()
	defer func() {
		close(over)
		_ = c.raw.Close()
		<-read
	}()
	for m := range c.events {
		if err := c.handle(m); err != nil {
			return err
		}
	}
	return nil
}

// receive passes on the requests of the client until over is closed.
func (c *session) receive(over <-chan struct{}) {
	for {
		m, err := readMessage(c.conn)
		if err != nil {
			return
		}
		if m.kind == 0 {
			continue
		}
		select {
		case c.events <- m:
		case <-over:
			return
		}
	}
}

// logIn is PRELOGIN and LOGIN7.
func (c *session) logIn() error {
	c.size = packetSize
	m, err := c.expect(packetPrelogin)
	if err != nil {
		return err
	}
	wanted, err := parsePrelogin(m.body)
	if err != nil {
		return &protocolError{err}
	}
	encryption := c.negotiate(wanted)
	if err := c.send(prelogin(encryption)); err != nil {
		return err
	}
	if encryption == encryptRequired && wanted == encryptNotSupported {
		return errEnded
	}
	if encryption != encryptNotSupported {
		if c.conn, err = handshake(c.server.t.Context(), c.raw, c.server.tls); err != nil {
			return err
		}
	}
	if m, err = c.expect(packetLogin); err != nil {
		return err
	}
	if encryption == encryptOff {
		c.conn = c.raw
	}
	l, err := parseLogin(m.body)
	if err != nil {
		return &protocolError{err}
	}
	refused := c.server.admit(l, encryption != encryptNotSupported)
	if err := c.send(c.acknowledge(l, refused)); err != nil {
		return err
	}
	if len(refused) > 0 {
		return errEnded
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.user = l.user
	return nil
}

// negotiate chooses the server's encryption option.
func (c *session) negotiate(wanted byte) byte {
	switch offer := c.server.cfg.Encryption; {
	case offer == EncryptAll && (wanted == encryptOff || wanted == encryptNotSupported):
		return encryptRequired
	case offer == NoEncryption || wanted == encryptNotSupported:
		return encryptNotSupported
	case wanted == encryptOff:
		return encryptOff
	default:
		return encryptOn
	}
}

// acknowledge is the response to a login.
func (c *session) acknowledge(l login, refused []Message) []byte {
	var b []byte
	for _, m := range refused {
		b = m.append(b)
	}
	if len(refused) > 0 {
		return appendDone(b, tokenDone, doneError, 0, 0)
	}
	before := c.size
	if l.packetSize > 0 {
		c.size = min(max(l.packetSize, smallestPacket), largestPacket)
	}
	collation := latin1()
	b = appendTextChange(b, changeDatabase, c.server.cfg.Database, "master")
	b = appendBytesChange(b, changeCollation, collation, nil)
	b = appendLoginAck(b)
	b = appendTextChange(b, changePacketSize, fmt.Sprint(c.size), fmt.Sprint(before))
	return appendDone(b, tokenDone, 0, 0, 0)
}

func (c *session) expect(kind byte) (message, error) {
	m, err := readMessage(c.conn)
	if err == nil && m.kind != kind {
		err = &protocolError{fmt.Errorf("a packet of type %d instead of one of type %d", m.kind, kind)}
	}
	return m, err
}

// send sends a short message; a login is answered in packets of the size in use before it.
func (c *session) send(tokens []byte) error {
	w := newPacketWriter(c.conn, packetSize)
	w.bytes(tokens)
	return w.end()
}

// handle answers one request, or an attention that came too late for the previous one.
func (c *session) handle(m message) error {
	if m.kind == packetAttention {
		return c.send(appendDone(nil, tokenDone, doneAttention, 0, 0))
	}
	st, err := parseRequest(m)
	if err != nil {
		return &protocolError{fmt.Errorf("read a request: %w", err)}
	}
	st.Session, st.User, st.SQL = c.number, c.user, strings.TrimSpace(st.SQL)
	result, ok := c.server.find(st)
	if !ok {
		c.server.t.Errorf("tdstest: there is no response for the statement %q with the parameters %v", st.SQL, st.Params)
		result = Result{Error: &Message{Number: errorUnknown, Text: "the test has no answer for this statement"}}
	}
	if result.Done != nil {
		defer result.Done()
	}
	if result.Wait != nil {
		var over bool
		if over, err = c.wait(&result); over {
			return err
		}
	}
	limit := result.Fault.CutBytes
	if limit == 0 {
		limit = -1
	}
	a := &answering{
		session: c, kind: m.kind, result: &result,
		packets: newPacketWriter(&cutWriter{to: c.conn, limit: limit}, c.size),
	}
	if m.reset {
		a.packets.bytes(appendBytesChange(nil, changeReset, nil, nil))
	}
	return a.run()
}

// wait delays a response; over reports whether the client canceled it.
func (c *session) wait(result *Result) (over bool, err error) {
	for result.Wait != nil {
		select {
		case <-result.Wait:
			*result = result.Then()
		case m, open := <-c.events:
			err = interrupted(m, open)
			if errors.Is(err, errAttention) {
				err = c.send(appendDone(nil, tokenDone, doneAttention, 0, 0))
			}
			return true, err
		}
	}
	return false, nil
}
