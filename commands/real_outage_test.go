package commands_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestElasticsearchGoesAwayMidway: the connection ends for good while documents are written. The run
// ends as temporary and has deleted nothing; the next one does what was left.
func TestElasticsearchGoesAwayMidway(t *testing.T) {
	t.Parallel()
	real := required(t, "TEST_ELASTICSEARCH_URL")
	b := newBench(t, real)
	b.exec(`CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n`)
	b.grantAll()
	b.must(0, "sync")
	b.exec("UPDATE big SET v = repeat('y', 1000); DELETE FROM big WHERE id > 19995")
	u, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	b.destination = "http://" + newOutage(t, u.Host, 8<<20)
	b.configure("")
	o := b.run("sync", "-o", "json")
	if o.code != 5 || !strings.Contains(o.stdout, `"deleted":0`) {
		t.Fatalf("exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	b.destination = real
	b.configure("")
	if res := b.must(0, "sync"); res.Deleted != 5 || res.Updated == 0 {
		t.Fatalf("%+v", res)
	}
	if res := b.must(0, "diff"); res.Kept != 19995 {
		t.Fatalf("%+v", res)
	}
}

// newOutage forwards connections to a server until that many bytes were sent to it; then it cuts them
// and takes no more. It returns where it listens.
func newOutage(t *testing.T, server string, after int64) string {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{left: after, listener: l}
	t.Cleanup(o.cut)
	var dialer net.Dialer
	go func() { // ends when the listener is closed
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := dialer.DialContext(t.Context(), "tcp", server)
			if err != nil {
				_ = in.Close()
				return
			}
			o.add(in, out)
			go func() { _, _ = io.Copy(out, io.TeeReader(in, o)); o.close(in, out) }()
			go func() { _, _ = io.Copy(in, out); o.close(in, out) }()
		}
	}()
	return l.Addr().String()
}

type outage struct {
	mu       sync.Mutex
	left     int64
	listener net.Listener
	conns    []net.Conn
}

func (o *outage) add(conns ...net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conns = append(o.conns, conns...)
}

// Write counts what is sent.
func (o *outage) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.left -= int64(len(p))
	over := o.left < 0
	o.mu.Unlock()
	if over {
		o.cut()
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func (o *outage) cut() {
	_ = o.listener.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.close(o.conns...)
}

func (o *outage) close(conns ...net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
