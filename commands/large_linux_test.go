package commands_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
)

// TestValuesOfFiftyMegabytes: a jsonb value and a text of 50 MB among small rows. Elasticsearch accepts
// documents up to a fortieth of its heap, so a node with 1 GiB refuses them and one with 4 GiB does not.
// Either they are written, or they are reported and saved, and the small rows are written in any case.
func TestValuesOfFiftyMegabytes(t *testing.T) {
	b := newBench(t, elastictest.Server(t))
	b.exec(`CREATE TABLE big (id int PRIMARY KEY, j jsonb, v text);
		INSERT INTO big SELECT n, '{"small": true}', 'small' FROM generate_series(1, 50) n;
		INSERT INTO big SELECT 51, jsonb_object_agg('k' || n, repeat('x', 100000)), 'jsonb' FROM generate_series(1, 500) n;
		INSERT INTO big VALUES (52, NULL, repeat('word and ', 5600000));
		INSERT INTO big SELECT n, '{"small": true}', 'small' FROM generate_series(53, 102) n`)
	b.grantAll()
	b.patient()
	cmd := b.command("sync", "-o", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code is checked
	code := int64(cmd.ProcessState.ExitCode())
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	t.Logf("exit code %d, peak memory %d MiB\n%s%.2000s", code, peak, stdout.Bytes(), stderr.Bytes())
	var res struct {
		result
		DeadLetter string `json:"dead_letter"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &res); err != nil {
		t.Fatal(err)
	}
	wantCode := int64(0)
	if res.Rejected > 0 {
		wantCode = 3
		b.keptWhole(res.DeadLetter, res.Rejected, stderr.String())
	}
	if code != wantCode || res.Created+res.Rejected != 102 || res.Rejected > 2 {
		t.Errorf("exit code %d, want %d; %+v", code, wantCode, res.result)
	}
	// The default budget is 64 MiB; the driver, the request and the dead-letter file each hold one more.
	if peak > 800 {
		t.Errorf("%d MiB of memory", peak)
	}
}

// keptWhole checks that the rejected documents are reported as too large and saved completely.
func (b *bench) keptWhole(path string, want int64, stderr string) {
	b.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	if n := int64(bytes.Count(raw, []byte("\n"))); n != want || int64(len(raw)) < want*50_000_000 {
		b.t.Errorf("%s has %d documents and %d bytes", path, n, len(raw))
	}
	if n := strings.Count(stderr, "the document is too large for this node"); int64(n) != want {
		b.t.Errorf("%d documents are named as too large", n)
	}
}

// patient lets a run wait longer for a busy node than other tests do.
func (b *pgBench) patient() {
	b.t.Helper()
	path := filepath.Join(b.dir, "config.yml")
	raw, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	text := strings.Replace(string(raw), "max_retries: 1\n", "max_retries: 30\n", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
