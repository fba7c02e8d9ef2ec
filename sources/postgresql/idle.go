package postgresql

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// longestIdle is how long a connection may be idle and still be used: what stands between here and
// the server may forget about it, and then nobody answers.
const longestIdle = 30 * time.Second

// idle are connections that were read from to the end, for parts that are yet to come: with 1 000
// small tables, a connection for each takes most of the time. There are never more than parts that
// are read at the same time.
type idle struct {
	mu    sync.Mutex
	conns []idleConn
}

type idleConn struct {
	conn  *pgx.Conn
	since time.Time
}

// take returns the connection that was used last, nil when there is none.
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

// reuse returns a connection that was used lately, nil when there is none.
func (d *database) reuse(ctx context.Context) *pgx.Conn {
	for c := d.idle.take(); c != nil; c = d.idle.take() {
		if time.Since(c.since) <= longestIdle {
			return c.conn
		}
		hangUp(ctx, c.conn)
	}
	return nil
}

// release ends the transaction, and with it all that was set, and keeps the connection.
func (d *database) release(ctx context.Context, conn *pgx.Conn) {
	if _, err := conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		hangUp(ctx, conn)
		return
	}
	d.idle.put(conn)
}

// closeIdle ends the connections that nobody uses.
func (d *database) closeIdle() {
	for c := d.idle.take(); c != nil; c = d.idle.take() {
		hangUp(context.Background(), c.conn)
	}
}
