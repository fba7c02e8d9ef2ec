package commands_test

import (
	"io"
	"math"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestALostElasticsearchDeletesNothing: the connection breaks for good while documents are written. The run
// ends as temporary and deletes nothing; the next one completes the work.
func TestALostElasticsearchDeletesNothing(t *testing.T) {
	t.Parallel()
	real := elastictest.Server(t)
	b := newBench(t, real)
	b.exec(`CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, repeat('x', 1000) FROM generate_series(1, 4000) n`)
	b.grantAll()
	b.must(0, "sync")
	b.exec("UPDATE big SET v = repeat('y', 1000); DELETE FROM big WHERE id > 3995")
	u, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	b.destination = "http://" + newOutage(t, u.Host, &outage{sent: 1 << 20, received: math.MaxInt64})
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
	if res := b.must(0, "diff"); res.Kept != 3995 {
		t.Fatalf("%+v", res)
	}
}

// outage forwards connections to a server until that many bytes were sent or received; then it cuts them and
// accepts no more.
type outage struct {
	sent, received int64
	mu             sync.Mutex
	listener       net.Listener
	conns          []net.Conn
}

// newOutage starts to forward to a server. It returns its own address.
func newOutage(t *testing.T, server string, o *outage) string {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.listener = l
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
			go func() { _, _ = io.Copy(out, io.TeeReader(in, o.counter(&o.sent))); o.close(in, out) }()
			go func() { _, _ = io.Copy(in, io.TeeReader(out, o.counter(&o.received))); o.close(in, out) }()
		}
	}()
	return l.Addr().String()
}

func (o *outage) add(conns ...net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conns = append(o.conns, conns...)
}

// counter counts what is written to it, down from left.
func (o *outage) counter(left *int64) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		o.mu.Lock()
		*left -= int64(len(p))
		over := *left < 0
		o.mu.Unlock()
		if over {
			o.cut()
			return 0, io.ErrClosedPipe
		}
		return len(p), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

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
