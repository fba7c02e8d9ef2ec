package commands_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/commands"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// program is the built program.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "elastic-ingest-test-")
	if err != nil {
		return "", err
	}
	commands.ProgramDir = dir
	path := filepath.Join(dir, "elastic-ingest")
	out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// bench is a destination and a configuration that mirrors a source into it. The source's database and user are
// called name.
type bench struct {
	t           testing.TB
	database    string
	dir         string
	destination string // host of the configuration
	index       string
	secret      string
}

// newBenchOf creates an empty destination: an Elasticsearch address, or "" for embedded. The caller creates
// the source.
func newBenchOf(t testing.TB, elasticsearch string) *bench {
	t.Helper()
	name := strings.ToLower(rand.Text())[:12]
	b := &bench{t: t, dir: t.TempDir(), database: "e2e_" + name, index: "e2e-" + name, destination: elasticsearch, secret: "canary-" + rand.Text()}
	if elasticsearch == "" {
		b.destination = "embedded:" + filepath.Join(b.dir, "data")
	} else {
		t.Cleanup(func() { b.call(http.MethodDelete, "/"+b.index, "") })
	}
	return b
}

// write writes the configuration of a source, whose values are a YAML mapping in braces, with more keys for
// the connector.
func (b *bench) write(serviceType, values, more string) {
	b.t.Helper()
	b.writePlain(serviceType, values+`, password: "${E2E_SECRET}"`, more)
}

// mustExec runs statements, also during the cleanup of the test.
func mustExec(t testing.TB, pool *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := pool.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%v in: %.200s", err, s)
		}
	}
}

// writeServer is write for a database at an address.
func (b *bench) writeServer(serviceType, address, values, more string) {
	b.t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(serviceType, fmt.Sprintf("host: %q, port: %s, %s", host, port, values), more)
}

// writePlain writes the configuration of a source without a password.
func (b *bench) writePlain(serviceType, values, more string) {
	b.t.Helper()
	config := fmt.Sprintf(`
elasticsearch:
  host: %q
  max_wait_duration: 1
  max_retries: 1
  retry_interval: 1
connectors:
  - name: shop
    service_type: %s
    index_name: %s
    configuration: {%s}
%s`, b.destination, serviceType, b.index, values, more)
	if err := os.WriteFile(filepath.Join(b.dir, "config.yml"), []byte(config), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// outcome is the output of a run of the program.
type outcome struct {
	code   int
	stdout string
	stderr string
}

func (b *bench) command(args ...string) *exec.Cmd {
	b.t.Helper()
	path, err := program()
	if err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(b.t.Context(), path, append(args, "-c", filepath.Join(b.dir, "config.yml"))...)
	cmd.Env = append(os.Environ(), "E2E_SECRET="+b.secret, "ELASTIC_INGEST_STATE_DIR="+filepath.Join(b.dir, "state"))
	return cmd
}

func (b *bench) run(args ...string) outcome {
	b.t.Helper()
	cmd := b.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		b.t.Fatal(err)
	}
	o := outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if strings.Contains(o.stdout+o.stderr, b.secret) {
		b.t.Errorf("%v printed the password:\n%s%s", args, o.stdout, o.stderr)
	}
	return o
}

// result is the last object of -o json and -o ndjson.
type result struct {
	Exit, Created, Updated, Deleted, Kept, Withheld, Rejected int64
}

// must runs the program and checks its exit code.
func (b *bench) must(code int, args ...string) result {
	b.t.Helper()
	o := b.run(append(args, "-o", "json")...)
	if o.code != code {
		b.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, o.code, code, o.stdout, o.stderr)
	}
	var res result
	if err := json.Unmarshal([]byte(o.stdout), &res); err != nil {
		b.t.Fatalf("%v: %v\n%s", args, err, o.stdout)
	}
	if res.Exit != int64(code) {
		b.t.Errorf("%v: the result says exit %d, the program %d", args, res.Exit, code)
	}
	return res
}

func (b *bench) call(method, path, body string) []byte {
	b.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, b.destination+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 && method != http.MethodDelete {
		b.t.Errorf("%s %s: %d %s %v", method, path, res.StatusCode, raw, err)
	}
	return raw
}

// destinations runs a test on the embedded destination and on every Elasticsearch.
func destinations(t *testing.T, f func(t *testing.T, elasticsearch string)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); f(t, "") })
	elastictest.Servers(t, f)
}

// changes reads -o ndjson: kind and fields by id.
func changes(t *testing.T, ndjson string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(ndjson) {
		var c struct {
			Kind, ID string
			Fields   json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if c.Kind != "" {
			if c.Fields == nil {
				c.Fields = json.RawMessage("null")
			}
			out[c.ID] = c.Kind + " " + string(c.Fields)
		}
	}
	return out
}
