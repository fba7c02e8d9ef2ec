package mongodb

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/link"
)

const (
	keepAlive     = 30 * time.Second
	hangUpTimeout = 1500 * time.Millisecond
)

// dialer opens the connections below those of the driver.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	return d.DialContext(ctx, network, address)
}

// DialContext is called by the driver.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// connect creates the driver's client, once. It connects on the first request, and has goroutines that
// watch the servers until it is closed.
func (d *database) connect() (*mongo.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client != nil {
		return d.client, nil
	}
	if d.set.insecure {
		d.log.Warn("the server's certificate is not verified, because of tls_insecure")
	}
	if len(d.set.address.secrets) > 0 {
		d.log.Warn("host contains a password, which is shown wherever the configuration is; move it to password")
	}
	o := *d.set.client
	o.SetDialer(d.dial)
	d.handshakes.watch(&o)
	client, err := mongo.Connect(&o)
	if err != nil {
		return nil, d.set.optionError(err)
	}
	d.client = client
	return client, nil
}

// bounded ends a call that takes too long. The driver passes a deadline to the server as the time limit of a complete
// cursor, so the context has none.
func bounded(ctx context.Context, limit time.Duration) (context.Context, func()) {
	if limit <= 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t := time.AfterFunc(limit, func() { cancel(&link.StallError{Limit: limit}) })
	return ctx, func() { t.Stop(); cancel(nil) }
}

// causeOf is why a call with a context of [bounded] failed.
func causeOf(ctx context.Context, err error) error {
	if stalled, ok := context.Cause(ctx).(*link.StallError); ok && err != nil { //nolint:errorlint // it was put there unwrapped
		return stalled
	}
	return err
}

// handshakes records why the last TLS handshake failed, until one succeeds. When a connection fails, the driver
// cancels the others, and if one of those ends last, its error of server selection says only that it was canceled.
type handshakes struct {
	mu   sync.Mutex
	last error
}

func (h *handshakes) watch(o *options.ClientOptions) {
	o.SetServerMonitor(&event.ServerMonitor{
		ServerHeartbeatFailed:    func(e *event.ServerHeartbeatFailedEvent) { h.failed(e.Failure) },
		ServerHeartbeatSucceeded: func(*event.ServerHeartbeatSucceededEvent) { h.set(nil) },
	})
	o.SetPoolMonitor(&event.PoolMonitor{Event: func(e *event.PoolEvent) { h.failed(e.Error) }})
}

func (h *handshakes) failed(err error) {
	if err != nil && tlsFailed(err) {
		h.set(err)
	}
}

func (h *handshakes) set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = err
}

// handshakeError is an error of server selection after a handshake that failed.
type handshakeError struct{ handshake, err error }

func (e *handshakeError) Error() string { return serverSelection + ": " + e.handshake.Error() }

func (e *handshakeError) Unwrap() error { return e.err }

// explain adds the failed handshake to an error of server selection.
func (h *handshakes) explain(err error) error {
	if err == nil || tlsFailed(err) || !strings.Contains(err.Error(), serverSelection) {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return err
	}
	return &handshakeError{handshake: h.last, err: err}
}

// attempts are the attempts of a request.
func (d *database) attempts() link.Attempts {
	return link.Attempts{Most: d.set.attempts, Pause: d.pause, Worth: worthRetrying, Log: d.log, Shorten: d.shorten}
}

// ask sends one request and returns the response. Temporary errors are retried.
func (d *database) ask(ctx context.Context, database string, command bson.D) (bson.Raw, error) {
	return link.Connect(ctx, d.attempts(), func(ctx context.Context) (bson.Raw, error) {
		client, err := d.connect()
		if err != nil {
			return nil, err
		}
		ctx, stop := bounded(ctx, connectTimeout)
		defer stop()
		answer, err := client.Database(database).RunCommand(ctx, command, d.readOptions()).Raw()
		return answer, d.handshakes.explain(causeOf(ctx, err))
	})
}

// readOptions send reads to the members that the address prefers.
func (d *database) readOptions() *options.RunCmdOptionsBuilder {
	o := options.RunCmd()
	if p := d.set.client.ReadPreference; p != nil {
		o.SetReadPreference(p)
	}
	return o
}

// cursor starts a command that returns documents, within a time limit for the server's response.
func (d *database) cursor(ctx context.Context, command bson.D, limit time.Duration) (*mongo.Cursor, error) {
	client, err := d.connect()
	if err != nil {
		return nil, err
	}
	ctx, stop := bounded(ctx, limit)
	defer stop()
	c, err := client.Database(d.set.database).RunCommandCursor(ctx, command, d.readOptions())
	return c, d.handshakes.explain(causeOf(ctx, err))
}

// each calls do with each document that a command returns, which is valid until do returns.
func (d *database) each(ctx context.Context, command bson.D, do func(bson.Raw) error) error {
	c, err := link.Connect(ctx, d.attempts(), func(ctx context.Context) (*mongo.Cursor, error) {
		return d.cursor(ctx, command, connectTimeout)
	})
	if err != nil {
		return err
	}
	defer closeCursor(ctx, c)
	for {
		if more, err := next(ctx, c, connectTimeout); !more {
			return err
		}
		if err := do(c.Current); err != nil {
			return err
		}
	}
}

// next reads the next document. If that needs a request, the server must respond within the limit.
func next(ctx context.Context, c *mongo.Cursor, limit time.Duration) (more bool, err error) {
	if c.RemainingBatchLength() > 0 {
		return c.Next(ctx), c.Err()
	}
	ctx, stop := bounded(ctx, limit)
	defer stop()
	return c.Next(ctx), causeOf(ctx, c.Err())
}

// closeCursor closes a cursor, also on the server.
func closeCursor(ctx context.Context, c *mongo.Cursor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = c.Close(ctx) // the rest is not needed; the server will end it eventually
}

// withConcern adds the read concern of the address to a command.
func (d *database) withConcern(command bson.D) bson.D {
	if c := d.set.client.ReadConcern; c != nil && c.Level != "" {
		return append(command, bson.E{Key: "readConcern", Value: bson.D{{Key: "level", Value: c.Level}}})
	}
	return command
}

// Ping sends a ping, which needs a login.
func (d *database) Ping(ctx context.Context) error {
	_, err := d.ask(ctx, "admin", bson.D{{Key: "ping", Value: 1}})
	return d.connectError(ctx, err, fmt.Sprintf("connect to MongoDB at %s", d.set.address.hosts()))
}
