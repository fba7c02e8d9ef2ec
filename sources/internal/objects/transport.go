package objects

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Timeouts are those of a connection: none of a whole request, because a large object may take long.
type Timeouts struct {
	Connect time.Duration
	Read    time.Duration // how long no byte may come while one is waited for
}

// NoRedirect is for [http.Client.CheckRedirect]: the answer is that of the store that was configured, and a
// signature or a token goes nowhere else.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Prepare gives an HTTP transport these timeouts. verify is false where the server's certificate is not
// to be checked.
func Prepare(tr *http.Transport, t Timeouts, verify bool) {
	dialer := &net.Dialer{Timeout: t.Connect, KeepAlive: 30 * time.Second}
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &impatient{Conn: c, patience: t.Read}, nil
	}
	tr.TLSHandshakeTimeout = t.Connect
	tr.MaxIdleConnsPerHost = 32
	if verify {
		return
	}
	if tr.TLSClientConfig == nil {
		tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	tr.TLSClientConfig.InsecureSkipVerify = true //nolint:gosec // it is what the option asks for
}

// impatient is a connection that ends where no byte comes for too long.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write begins the wait again: a read that has been waiting on an idle connection waits for an answer now.
func (c *impatient) Write(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *impatient) wait() error {
	if c.patience == 0 {
		return nil
	}
	return c.SetReadDeadline(time.Now().Add(c.patience))
}
