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
	Read    time.Duration // how long to wait for the next byte
}

// NoRedirect is for [http.Client.CheckRedirect]: the response comes from the configured store, and a signature or token
// is sent nowhere else.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Prepare sets these timeouts in an HTTP transport. verify is false if the server's certificate is not to be
// checked.
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

// impatient is a connection that ends if no byte arrives for too long.
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

// Write restarts the timeout: a read that was waiting on an idle connection now waits for a response.
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
