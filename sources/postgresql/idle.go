package postgresql

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// longestIdle is how long a connection may be idle and still be used: a device between here and
// the server may drop it, and then there is no response.
const longestIdle = 30 * time.Second

// idle are connections whose part was read completely, for later parts: with 1,000
// small tables, opening a connection for each takes most of the time. There are never more than parts
// that are read concurrently.
type idle struct {
	mu    sync.Mutex
	conns []idleConn
}

type idleConn struct {
	conn  *pgx.Conn
	since time.Time
}

// take returns the most recently used connection, nil if there is none.
func (i *idle) take() *idleConn {
	i.mu.Lock()
	defer i.mu.Unlock()
	last := len(i.conns) - 1
	if last < 0 {
		return nil
	}
	c := i.conns[last]
	i.conns = i.conns[:last]
	return &c
}

func (i *idle) put(conn *pgx.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.conns = append(i.conns, idleConn{conn, time.Now()})
}

// reuse returns a recently used connection, nil if there is none.
func (d *database) reuse(ctx context.Context) *pgx.Conn {
	for c := d.idle.take(); c != nil; c = d.idle.take() {
		if time.Since(c.since) <= longestIdle {
			return c.conn
		}
		hangUp(ctx, c.conn)
	}
	return nil
}

// release ends the transaction, and with it all its settings, and keeps the connection.
func (d *database) release(ctx context.Context, conn *pgx.Conn) {
	if _, err := conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		hangUp(ctx, conn)
		return
	}
	d.idle.put(conn)
}

// closeIdle closes the idle connections.
func (d *database) closeIdle() {
	for c := d.idle.take(); c != nil; c = d.idle.take() {
		hangUp(context.Background(), c.conn)
	}
}
