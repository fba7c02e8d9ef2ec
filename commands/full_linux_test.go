package commands

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// TestAFullDiskUnderTheStore: the embedded store fills its disk during a run. The run reports it and deletes
// nothing; with free space, the next run mirrors everything, and a further one finds nothing to do.
func TestAFullDiskUnderTheStore(t *testing.T) {
	t.Parallel()
	dir, disk := t.TempDir(), fault.Disk(t, 40<<10)
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch.host: "embedded:`+filepath.Join(disk, "store")+`"
connectors:
  - {name: big, service_type: dir, index_name: search-big, configuration: {directory: in, pattern: "*.ndjson", format: documents}}
`)
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	records := func(from, to int) {
		var b strings.Builder
		noise := make([]byte, 1500) // text that the store cannot compress
		for i := from; i < to; i++ {
			_, _ = rand.Read(noise) // it never fails
			fmt.Fprintf(&b, `{"id":"%d","v":"%s"}`+"\n", i, hex.EncodeToString(noise))
		}
		writeFile(t, filepath.Join(dir, "in", "a.ndjson"), b.String())
	}
	must := func(code int, want ...string) {
		t.Helper()
		c := programIn(t, dir, "sync", "-o", "json", "--confirm-deletes", "1000")
		out, err := c.CombinedOutput()
		if c.ProcessState == nil {
			t.Fatal(err)
		}
		t.Logf("%.900s", out)
		if got := c.ProcessState.ExitCode(); got != code {
			t.Fatalf("exit code %d, want %d\n%.3000s", got, code, out)
		}
		for _, text := range want {
			if !strings.Contains(string(out), text) {
				t.Fatalf("no %q in\n%.3000s", text, out)
			}
		}
	}
	records(0, 200)
	must(0, `"created":200,`)
	records(100, 8000)
	must(9, "no space left on device", `"deleted":0,`)
	fault.Grow(t, disk, 200<<10)
	must(0, `"deleted":100,`)
	must(0, `"created":0,"updated":0,"deleted":0,"kept":7900,`)
}

// TestAFullFolderOfMetrics changes no exit code; the earlier file stays complete.
func TestAFullFolderOfMetrics(t *testing.T) {
	t.Parallel()
	disk := fault.Disk(t, 8)
	file := filepath.Join(disk, "ei.prom")
	const fine = `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`
	run := func() string {
		t.Helper()
		code, _, stderr := runPinged(t, &pinged{}, pingConfig, fine, nil, stopped, "sync", "-q", "--metrics-textfile", file)
		if code != ExitOK {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		return stderr
	}
	if stderr := run(); stderr != "" {
		t.Fatal(stderr)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(filepath.Join(disk, "fill"), make([]byte, 64<<10), 0o600) // as much as there is room for
	if stderr := run(); !strings.Contains(stderr, "warning: --metrics-textfile: ") || !strings.Contains(stderr, "no space left") {
		t.Errorf("no warning: %s", stderr)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the file has changed: %v\n%s", err, after)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestARecordWhoseIDCannotBePrinted exists nevertheless; the error names it.
func TestARecordWhoseIDCannotBePrinted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	many(t, dir)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no /dev/full: %v", err)
	}
	defer full.Close()
	for _, tt := range []struct{ what, list, command string }{
		{"connector", "connectors", "connector create --id kibana notes"},
		{"sync job", "jobs", "job start kibana"},
	} {
		var stderr bytes.Buffer
		c := programIn(t, dir, strings.Fields(tt.command)...)
		c.Stdout, c.Stderr = full, &stderr
		_ = c.Run() // ProcessState has its end
		m := regexp.MustCompile(`^elastic-ingest: error: ` + tt.what + ` "(\w+)" was created, but its id could not be printed: .*no space left on device\n$`).FindStringSubmatch(stderr.String())
		if code := c.ProcessState.ExitCode(); code != ExitFailed || m == nil {
			t.Fatalf("%s: exit %d: %s", tt.command, code, &stderr)
		}
		if _, out := exitOf(programIn(t, dir, "list", tt.list)); !strings.Contains(out, m[1]) {
			t.Errorf("no %s %s in\n%s", tt.what, m[1], out)
		}
	}
}

// TestAStateFolderThatCannotBeCreated: not even root may create one in /sys.
func TestAStateFolderThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	many(t, dir)
	for _, folder := range []string{"/sys/elastic-ingest", "/proc/elastic-ingest", "/dev/null/elastic-ingest", filepath.Join(dir, strings.Repeat("x", 300))} {
		if err := os.Mkdir(folder, 0o700); err == nil {
			t.Errorf("%s could be created", folder)
		}
		for command, want := range map[string]int{"sync": ExitUsage, "diff": ExitDiffers} {
			c := programIn(t, dir, command)
			c.Env = append(c.Env, "ELASTIC_INGEST_STATE_DIR="+folder)
			out, _ := c.CombinedOutput() // its error is the exit code
			text := string(out)
			if got := c.ProcessState.ExitCode(); got != want {
				t.Errorf("%s with %s: exit %d, want %d:\n%s", command, folder, got, want, text)
			}
			if command == "sync" && !strings.Contains(text, "hint: set ELASTIC_INGEST_STATE_DIR to a folder that this user can write to") {
				t.Errorf("no hint with %s:\n%s", folder, text)
			}
		}
	}
}
