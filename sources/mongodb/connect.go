package mongodb

import (
	"context"
	"fmt"
	"net"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
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

// DialContext makes it what the driver dials with.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// connect makes the driver's client, once. It connects when it is asked something, and has goroutines that
// watch the servers until it is closed.
func (d *database) connect() (*mongo.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client != nil {
		return d.client, nil
	}
	if d.set.insecure {
		d.log.Warn("the server's certificate is not verified, as tls_insecure asks for")
	}
	if len(d.set.address.secrets) > 0 {
		d.log.Warn("host holds a password, and is shown wherever the configuration is; put it into the key password")
	}
	o := *d.set.client
	o.SetDialer(d.dial)
	client, err := mongo.Connect(&o)
	if err != nil {
		return nil, d.set.optionError(err)
	}
	d.client = client
	return client, nil
}

// bounded ends a call that takes too long. The driver hands a deadline on to the server as the time that a whole
// cursor may work, so it gets none.
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
	if stalled, ok := context.Cause(ctx).(*link.StallError); ok && err != nil { //nolint:errorlint // it was put there as it is
		return stalled
	}
	return err
}

// attempts are how often something is tried.
func (d *database) attempts() link.Attempts {
	return link.Attempts{Most: d.set.attempts, Pause: d.pause, Worth: worthRetrying, Log: d.log, Told: d.told}
}

// ask asks the server one question and returns the answer. What may pass is tried again.
func (d *database) ask(ctx context.Context, database string, command bson.D) (bson.Raw, error) {
	return link.Connect(ctx, d.attempts(), func(ctx context.Context) (bson.Raw, error) {
		client, err := d.connect()
		if err != nil {
			return nil, err
		}
		ctx, stop := bounded(ctx, connectTimeout)
		defer stop()
		answer, err := client.Database(database).RunCommand(ctx, command, d.readOptions()).Raw()
		return answer, causeOf(ctx, err)
	})
}

// readOptions send what only reads where the address wants it read.
func (d *database) readOptions() *options.RunCmdOptionsBuilder {
	o := options.RunCmd()
	if p := d.set.client.ReadPreference; p != nil {
		o.SetReadPreference(p)
	}
	return o
}

// cursor begins a command that answers with documents, in a time in which the server must say something.
func (d *database) cursor(ctx context.Context, command bson.D, limit time.Duration) (*mongo.Cursor, error) {
	client, err := d.connect()
	if err != nil {
		return nil, err
	}
	ctx, stop := bounded(ctx, limit)
	defer stop()
	c, err := client.Database(d.set.database).RunCommandCursor(ctx, command, d.readOptions())
	return c, causeOf(ctx, err)
}

// each calls do with each document that a command answers with, which is good until do returns.
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

// next takes the next document. Where it must be asked for, the server must answer within the limit.
func next(ctx context.Context, c *mongo.Cursor, limit time.Duration) (more bool, err error) {
	if c.RemainingBatchLength() > 0 {
		return c.Next(ctx), c.Err()
	}
	ctx, stop := bounded(ctx, limit)
	defer stop()
	return c.Next(ctx), causeOf(ctx, c.Err())
}

// closeCursor ends a cursor, also on the server.
func closeCursor(ctx context.Context, c *mongo.Cursor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hangUpTimeout)
	defer cancel()
	_ = c.Close(ctx) // what was not read is of no interest; the server ends it by itself in the end
}

// withConcern adds the read concern of the address to a command.
func (d *database) withConcern(command bson.D) bson.D {
	if c := d.set.client.ReadConcern; c != nil && c.Level != "" {
		return append(command, bson.E{Key: "readConcern", Value: bson.D{{Key: "level", Value: c.Level}}})
	}
	return command
}

// Ping asks the server for a sign of life, and logs in for it.
func (d *database) Ping(ctx context.Context) error {
	_, err := d.ask(ctx, "admin", bson.D{{Key: "ping", Value: 1}})
	return d.connectError(ctx, err, fmt.Sprintf("connect to MongoDB at %s", d.set.address.hosts()))
}
