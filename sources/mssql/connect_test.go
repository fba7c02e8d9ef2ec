package mssql

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqltest"
)

// dial opens a connection.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// opened opens the source without a server.
func opened(t *testing.T, change map[string]any, to sqltest.Dial) *database {
	t.Helper()
	d, ok := sqltest.Open(t, &Type, plain(change), source.Env{}).(*database)
	if !ok {
		t.Fatal("it has another type")
	}
	d.DialNet = to
	return d
}

// browser responds as a server's browser service does, for two instances.
func browser(conn net.PacketConn) {
	const answer = "ServerName;H;InstanceName;OTHER;IsClustered;No;Version;15.0;tcp;1;;" +
		"ServerName;H;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0;tcp;14333;;"
	question := make([]byte, 100)
	for {
		_, from, err := conn.ReadFrom(question)
		if err != nil {
			return // the test is over
		}
		_, _ = conn.WriteTo(append([]byte{5, byte(len(answer)), 0}, answer...), from)
	}
}

// TestInstances checks that the browser service of the host is asked for the port of a named instance, and only then.
func TestInstances(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	service, err := lc.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var answering sync.WaitGroup
	answering.Go(func() { browser(service) })
	defer answering.Wait()
	defer func() { _ = service.Close() }()
	for host, want := range map[string][]string{
		`db.example.org\sqlexpress`: {"udp db.example.org:1434", "tcp db.example.org:14333"},
		`::1\SQLEXPRESS`:            {"udp [::1]:1434", "tcp [::1]:14333"},
		"db.example.org":            {"tcp db.example.org:1433"},
		`db.example.org\NONE`:       {"udp db.example.org:1434"},
	} {
		var asked []string
		d := opened(t, map[string]any{"host": host, "retry_count": 1}, func(ctx context.Context, network, address string) (net.Conn, error) {
			asked = append(asked, network+" "+address)
			if network == "udp" {
				return dial(ctx, network, service.LocalAddr().String())
			}
			return nil, errors.New("as far as it goes")
		})
		says := "as far as it goes"
		if strings.Contains(host, "NONE") {
			says = "browser service"
		}
		sqltest.Refuse(t, d.Ping(t.Context()), source.ErrUnreachable, says, "connect to SQL Server at "+strings.Trim(host, "[]"))
		if !slices.Equal(asked, want) {
			t.Errorf("%s: asked %q, want %q", host, asked, want)
		}
	}
}

// TestCanceledLogin checks that canceling does not wait for a server that does not answer the login.
func TestCanceledLogin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var server net.Conn
	d := opened(t, nil, func(context.Context, string, string) (net.Conn, error) {
		var client net.Conn
		client, server = net.Pipe()
		go func() { // ends with the connection
			_, _ = server.Read(make([]byte, 1)) // the login has begun
			cancel()
		}()
		return client, nil
	})
	if err := d.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := server.Write([]byte("x")); err == nil {
		t.Error("the connection is still open")
	}
}

// TestPausesAreThoseThatMicrosoftAdvises checks pauses of 5 to 60 seconds, and of a minute while a database resumes.
func TestPausesAreThoseThatMicrosoftAdvises(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 4: 40 * time.Second, 5: time.Minute, 20: time.Minute} {
		if got := pauseBefore(attempt); got < want || got >= want+time.Second {
			t.Errorf("before attempt %d: got %s, want %s and less than a second more", attempt+1, got, want)
		}
	}
	for name, tt := range map[string]struct {
		configured int
		err        error
		tries      int
	}{
		"waking up": {3, answerOf(40613, 17), 5}, "waking up, more are configured": {7, answerOf(40613, 17), 7}, "waking up, one is configured": {1, answerOf(40613, 17), 1},
		"starting": {3, answerOf(17187, 16), 3}, "does not answer": {3, io.EOF, 3},
	} {
		d := &database{set: settings{Login: form.Login{Attempts: tt.configured}}}
		tries := 1
		for !d.enough(tries, tt.err) {
			tries++
		}
		if tries != tt.tries {
			t.Errorf("%s: %d tries, want %d", name, tries, tt.tries)
		}
	}
}
