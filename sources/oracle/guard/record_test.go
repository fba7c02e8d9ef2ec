package guard

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var record = flag.Bool("record", false, "record the session that the tests replay; needs TEST_ORACLE_DSN")

// TestRecord runs the session with a server, and records what the server sends.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("without -record")
	}
	dsn := os.Getenv("TEST_ORACLE_DSN")
	if dsn == "" {
		t.Skip("TEST_ORACLE_DSN names no server")
	}
	var dial net.Dialer
	plain := Connector(connectorTo(dsn, dial.DialContext), Limits{Login: limit, Call: limit})
	direct, err := plain.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	exec := func(statement string) error {
		_, err := direct.(driver.ExecerContext).ExecContext(t.Context(), statement, nil)
		return err
	}
	_ = exec(`DROP TABLE "GUARD"`) // of an interrupted run
	if err := exec(`CREATE TABLE "GUARD" ("ID" NUMBER(10) PRIMARY KEY, "NAME" VARCHAR2(100))`); err != nil {
		t.Fatal(err)
	}
	defer exec(`DROP TABLE "GUARD"`)
	for i := range sessionRows {
		if err := exec(fmt.Sprintf(`INSERT INTO "GUARD" VALUES (%d, 'row %d')`, i+1, i+1)); err != nil {
			t.Fatal(err)
		}
	}

	tape := &tape{}
	recorder := connectorTo(dsn+"?PREFETCH_ROWS="+fmt.Sprint(sessionFetch)+"&SERVER+LOCATION=UTC", func(ctx context.Context, network, address string) (net.Conn, error) {
		server, err := dial.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ours, theirs := net.Pipe()
		go tape.copy(server, theirs, false)
		go tape.copy(theirs, server, true)
		return ours, nil
	})
	c, err := Connector(recorder, Limits{Login: limit, Call: limit}).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read, err := run(t.Context(), c)
	if err != nil || len(read) != 2*sessionRows {
		t.Fatalf("%d values: %v", len(read), err)
	}
	text := "# The packets of a session, as go test -record wrote them down; what the driver sent is left out.\n" + strings.Join(tape.text(), "\n") + "\n"
	if err := os.WriteFile(filepath.Join("testdata", "session.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tape is the traffic between driver and server.
type tape struct {
	wide atomic.Bool

	mu    sync.Mutex
	lines []string
}

func (p *tape) text() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// copy forwards packets until either side hangs up.
func (p *tape) copy(to io.WriteCloser, from io.Reader, server bool) {
	defer to.Close()
	r := packetReader{bufio.NewReader(from), &p.wide}
	for {
		packet, err := r.next()
		if err != nil {
			return
		}
		p.mu.Lock()
		if server {
			r.heard(packet)
			p.lines = append(p.lines, "server "+hex.EncodeToString(packet))
		} else {
			p.lines = append(p.lines, "driver")
		}
		p.mu.Unlock()
		if _, err := io.Copy(to, bytes.NewReader(packet)); err != nil {
			return
		}
	}
}
