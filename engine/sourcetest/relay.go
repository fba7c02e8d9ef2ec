package sourcetest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay forwards connections between a source and its server, on a local address, and breaks one on request.
type Relay struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	left  int // bytes from the server until the connection that carries them breaks; 0 for never
	armed bool
	lost  int
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// NewRelay starts a relay to a server, such as "127.0.0.1:5432". The end of the test stops it.
func NewRelay(t *testing.T, server string) *Relay {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{listener: l, server: server, conns: map[net.Conn]struct{}{}}
	r.wg.Go(r.accept) // ends when the listener is closed
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		for c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.wg.Wait()
	})
	return r
}

// Port is the relay's port on 127.0.0.1.
func (r *Relay) Port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// Addr is the relay's address.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// BreakAfter breaks a connection once, after the server has sent the given number of bytes, over whichever
// connections.
func (r *Relay) BreakAfter(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.armed, r.lost = bytes, true, 0
}

// Lost is how many connections broke since BreakAfter.
func (r *Relay) Lost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.server) //nolint:noctx // it ends with the listener
		if err != nil {
			_ = client.Close()
			continue
		}
		r.keep(client, server)
		r.wg.Go(func() { // ends when either connection does
			_, _ = io.Copy(server, client)
			r.drop(client, server)
		})
		r.wg.Go(func() { // the same
			_, _ = io.Copy(client, &counted{Conn: server, relay: r})
			r.drop(client, server)
		})
	}
}

func (r *Relay) keep(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = struct{}{}
	}
}

func (r *Relay) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(r.conns, c)
	}
}

// take returns how many bytes may pass: fewer if the connection must break after them.
func (r *Relay) take(n int) (pass int, breaks bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.armed || n < r.left {
		r.left -= n
		return n, false
	}
	r.armed = false
	r.lost++
	return r.left, true
}

// counted counts the bytes that are read from a connection to the server.
type counted struct {
	net.Conn
	relay *Relay
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if pass, breaks := c.relay.take(n); breaks {
		return pass, io.ErrUnexpectedEOF
	}
	return n, err
}
