package commands

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// programIn is this program as a separate process, in the folder dir.
func programIn(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Args = append([]string{"elastic-ingest"}, args...) // TestMain then runs the program
	c.Dir = dir
	c.Env = append(os.Environ(), "ELASTIC_INGEST_STATE_DIR="+filepath.Join(dir, "state"), "XDG_CONFIG_HOME="+filepath.Join(dir, "none"))
	return c
}

// blockedRun starts a sync whose source waits for the end of the run after its first documents, and returns
// once it waits.
func blockedRun(t *testing.T, dir, host string, args ...string) (c *exec.Cmd, stderr *bytes.Buffer, wait func() int) {
	t.Helper()
	return blockedBy(t, dir, host, "block", args...)
}

// blockedBy does the same with the given action of a part after its documents.
func blockedBy(t *testing.T, dir, host, end string, args ...string) (c *exec.Cmd, stderr *bytes.Buffer, wait func() int) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch.host: `+host+`
connectors:
  - {name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json}}
  - {name: other, service_type: scripted, index_name: search-other, configuration: {script: other.json}}
`)
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}, {"id": "2"}], "`+end+`": true}]}`)
	writeFile(t, filepath.Join(dir, "other.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	c = programIn(t, dir, append([]string{"sync"}, args...)...)
	stderr, wait = startedUntil(t, c, "says=blocked")
	return c, stderr, wait
}

// startedUntil starts a program and returns once its stderr has a line with that text. wait returns its exit code.
func startedUntil(t *testing.T, c *exec.Cmd, text string) (stderr *bytes.Buffer, wait func() int) {
	t.Helper()
	pipe, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stderr = &bytes.Buffer{}
	lines := bufio.NewReader(io.TeeReader(pipe, stderr))
	for line := ""; !strings.Contains(line, text); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatalf("the program ended before it wrote %q: %s", text, stderr)
		}
	}
	return stderr, func() int {
		if _, err := io.Copy(io.Discard, lines); err != nil {
			t.Error(err)
		}
		_ = c.Wait() // its error is the exit code
		return c.ProcessState.ExitCode()
	}
}

// exitOf runs a program to its end.
func exitOf(c *exec.Cmd) (code int, out string) {
	combined, _ := c.CombinedOutput() // its error is the exit code
	return c.ProcessState.ExitCode(), string(combined)
}

// exitAfter sends a signal to a running program and returns its exit code.
func exitAfter(t *testing.T, c *exec.Cmd, s os.Signal) int {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // its error is the exit code
	return c.ProcessState.ExitCode()
}

func needsSignals(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows sends no signals to other processes")
	}
}

func storeInMemory(t *testing.T) *embedded.Server {
	t.Helper()
	store, err := embedded.Open(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestSignals(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	for _, tt := range []struct {
		signal os.Signal
		name   string
		want   int
	}{
		{os.Interrupt, "SIGINT", 130}, {syscall.SIGTERM, "SIGTERM", 143}, {syscall.SIGHUP, "SIGHUP", 143},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c, stderr, wait := blockedRun(t, dir, "embedded:./data", "--all")
			if err := c.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			if got := wait(); got != tt.want {
				t.Errorf("exit %d, want %d:\n%s", got, tt.want, stderr)
			}
			if !strings.Contains(stderr.String(), tt.name+": reading stops, documents read so far are written, and nothing is deleted; a second signal ends the program at once") {
				t.Errorf("the effect of the signal is not reported:\n%s", stderr)
			}
			if n := strings.Count(stderr.String(), "ended by signal "+tt.name); n != 1 {
				t.Errorf("the signal is named %d times:\n%s", n, stderr)
			}
			// Documents read so far are written, and the next connector does not begin.
			docs, err := held(filepath.Join(dir, "data"), "search-notes")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{`1 {"id":"1","scope":"a"}`, `2 {"id":"2","scope":"a"}`}, docs); d != "" {
				t.Error(d)
			}
			if docs, err := held(filepath.Join(dir, "data"), "search-other"); err != nil || len(docs) > 0 {
				t.Errorf("the other connector wrote %q, %v", docs, err)
			}
		})
	}
}

// TestSecondSignalCuts has a destination that never answers a bulk request, and a grace period of an hour.
func TestSecondSignalCuts(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	store := storeInMemory(t)
	stuck := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			store.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice the closed connection
		stuck <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch: {host: "`+server.URL+`", request_timeout: 1h}
engine.shutdown_grace: 1h
connectors:
  - {name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json}}
`)
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	c := programIn(t, dir, "sync")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-stuck
	// Two different signals: the system merges equal signals that are still pending.
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Wait() // its error is the exit code
	if got := c.ProcessState.ExitCode(); got != ExitTerminated && got != ExitInterrupted {
		t.Errorf("exit %d:\n%s", got, &stderr)
	}
}

// TestLocked runs a second sync during the first: into a folder, and into a server.
func TestLocked(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	store := storeInMemory(t)
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	for host, says := range map[string]string{
		"embedded:./data": "in use by another process (pid ",
		server.URL:        `scripted "notes": index "search-notes": another run holds the lock (pid `,
	} {
		dir := t.TempDir()
		c, first, wait := blockedRun(t, dir, host, "notes")
		second := programIn(t, dir, "sync", "notes")
		if got, out := exitOf(second); got != ExitLocked || !strings.Contains(out, says) {
			t.Errorf("%s: exit %d, want %d:\n%s", host, got, ExitLocked, out)
		}
		quiet := programIn(t, dir, "sync", "notes", "-q")
		if got, out := exitOf(quiet); got != ExitLocked || len(out) > 0 {
			t.Errorf("%s: with -q: exit %d: %s", host, got, out)
		}
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := wait(); got != ExitTerminated {
			t.Errorf("exit %d:\n%s", got, first)
		}
	}
}

// TestLockWait: a run waits for another one, and a signal ends the wait.
func TestLockWait(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	server := httptest.NewServer(storeInMemory(t))
	t.Cleanup(server.Close)
	for _, host := range []string{"embedded:./data", server.URL} {
		dir := t.TempDir()
		first, _, wait := blockedRun(t, dir, host, "notes")
		writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}, {"id": "3"}]}]}`)
		waiting := func() (c *exec.Cmd, wait func() int) {
			c = programIn(t, dir, "sync", "notes", "--lock-wait", "1h")
			_, wait = startedUntil(t, c, "waiting for another run")
			return c, wait
		}
		interrupted, waitInterrupted := waiting()
		if err := interrupted.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := waitInterrupted(); got != ExitTerminated {
			t.Errorf("%s: a signal while it waits: exit %d", host, got)
		}
		_, waitSecond := waiting()
		if err := first.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		wait()
		if got := waitSecond(); got != ExitOK {
			t.Errorf("%s: exit %d", host, got)
		}
	}
}

// TestASignalEndsTheJitter before anything is read: not even the configuration exists.
func TestASignalEndsTheJitter(t *testing.T) {
	t.Parallel()
	needsSignals(t)
	for _, args := range [][]string{{"sync"}, {"poll", "--once"}} {
		c := programIn(t, t.TempDir(), append(args, "--jitter", "100000h", "--debug")...)
		_, wait := startedUntil(t, c, "--jitter")
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := wait(); got != ExitTerminated {
			t.Errorf("%q: exit %d", args, got)
		}
	}
}

// many writes a configuration whose output is larger than a pipe's buffer.
func many(t *testing.T, dir string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch.host: embedded:./data
connectors:
  - {name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json}}
`)
	var documents []string
	for i := range 3000 {
		documents = append(documents, fmt.Sprintf(`{"id": "%s%d"}`, strings.Repeat("x", 50), i))
	}
	writeFile(t, filepath.Join(dir, "script.json"), `{"parts": [{"scope": "a", "documents": [`+strings.Join(documents, ",")+`]}]}`)
}

// TestAClosedOutputStopsOnlyDiff closes the reading end of stdout. A diff stops, since its output is its only
// result; a sync continues.
func TestAClosedOutputStopsOnlyDiff(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no EPIPE")
	}
	for command, want := range map[string]int{"diff": ExitPipe, "sync": ExitOK} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			many(t, dir)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c := programIn(t, dir, command, "-o", "ndjson")
			var stderr bytes.Buffer
			c.Stdout, c.Stderr = write, &stderr
			read.Close()
			_ = c.Run() // its error is the exit code
			write.Close()
			if got := c.ProcessState.ExitCode(); got != want || stderr.Len() > 0 {
				t.Errorf("exit %d, want %d; stderr %q", got, want, &stderr)
			}
			if command == "sync" {
				if docs, err := held(filepath.Join(dir, "data"), "search-notes"); err != nil || len(docs) != 3000 {
					t.Errorf("%d documents, %v", len(docs), err)
				}
			}
		})
	}
}
