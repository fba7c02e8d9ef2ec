//go:build unix

package commands

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestASignalEndsARunWithAnUnreadOutput: the pipe is full, and its reader does not read.
func TestASignalEndsARunWithAnUnreadOutput(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"diff", "sync"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			many(t, dir)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			c := programIn(t, dir, command, "-o", "ndjson", "-q")
			var stderr bytes.Buffer
			c.Stdout, c.Stderr = write, &stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			_ = write.Close()
			if _, err := io.ReadFull(read, make([]byte, 1)); err != nil { // from now on the pipe fills
				t.Fatal(err)
			}
			if got := exitAfter(t, c, syscall.SIGTERM); got != ExitTerminated {
				t.Errorf("exit %d: %s", got, &stderr)
			}
		})
	}
}

// TestASignalEndsTheWaitForAConfiguration: the file may be a pipe, such as <(...) in a shell, that no process
// writes to.
func TestASignalEndsTheWaitForAConfiguration(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"config.yml", ".env"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			many(t, dir)
			pipe := filepath.Join(dir, name)
			if err := os.RemoveAll(pipe); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			c := programIn(t, dir, "sync")
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns once the program reads
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if got := exitAfter(t, c, syscall.SIGTERM); got != ExitTerminated {
				t.Errorf("exit %d", got)
			}
		})
	}
}

// TestASecondSignalEndsABlockedRun: the source ignores the end of the run.
func TestASecondSignalEndsABlockedRun(t *testing.T) {
	t.Parallel()
	c, stderr, wait := blockedBy(t, t.TempDir(), "embedded:./data", "deaf", "notes")
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		if err := c.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	if got := wait(); got != ExitTerminated && got != ExitInterrupted {
		t.Errorf("exit %d: %s", got, stderr)
	}
}

// TestPipesAndLinksAreRefused: as output files they are refused by name before anything is sent.
func TestPipesAndLinksAreRefused(t *testing.T) {
	t.Parallel()
	for flag, code := range map[string]int{"--dead-letter": ExitUsage, "--deleted-to": ExitUsage, "--replay": ExitUsage} {
		for _, kind := range []string{"pipe", "link"} {
			if flag == "--replay" && kind == "link" { // which is only read
				continue
			}
			t.Run(flag+" "+kind, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				many(t, dir)
				path := filepath.Join(dir, "file")
				var err error
				if kind == "pipe" {
					err = syscall.Mkfifo(path, 0o600)
				} else {
					err = os.Symlink(filepath.Join(dir, "elsewhere"), path)
				}
				if err != nil {
					t.Fatal(err)
				}
				if flag == "--replay" { // of an index that exists
					if out, err := programIn(t, dir, "sync", "-q").CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				c := programIn(t, dir, "sync", flag, path)
				if got, out := exitOf(c); got != code || !strings.Contains(out, "is not a regular file") {
					t.Errorf("exit %d: %s", got, out)
				}
				if docs, _ := held(filepath.Join(dir, "data"), "search-notes"); flag != "--replay" && len(docs) > 0 {
					t.Errorf("%d documents were sent before", len(docs))
				}
			})
		}
	}
}

// TestASecretFileMayNotBeAPipe: a password_file that is a pipe would block the program forever.
func TestASecretFileMayNotBeAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "config.yml"), `
elasticsearch: {host: "http://127.0.0.1:1", username: u, password_file: secret}
connectors: [{name: notes, service_type: scripted, index_name: search-notes, configuration: {script: script.json}}]
`)
	c := programIn(t, dir, "sync")
	if got, out := exitOf(c); got != ExitUsage || !strings.Contains(out, "is a pipe or a device") {
		t.Errorf("exit %d: %s", got, out)
	}
}

// TestAFolderReadableByOthersIsReported: an existing folder keeps its permissions.
func TestAFolderReadableByOthersIsReported(t *testing.T) {
	t.Parallel()
	for mode, warned := range map[os.FileMode]bool{0o755: true, 0o750: true, 0o700: false, 0: false} {
		dir := t.TempDir()
		many(t, dir)
		data := filepath.Join(dir, "data")
		if mode != 0 { // otherwise the program creates it
			if err := os.Mkdir(data, mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(data, mode); err != nil { // regardless of the umask
				t.Fatal(err)
			}
		}
		out, err := programIn(t, dir, "sync", "-q").CombinedOutput()
		if err != nil || strings.Contains(string(out), "chmod 700") != warned {
			t.Errorf("%04o: %v: %s", mode, err, out)
		}
		if info, err := os.Stat(data); err != nil || mode == 0 && info.Mode().Perm() != 0o700 {
			t.Errorf("%04o: %v, %v", mode, info, err)
		}
	}
}

// TestOneClusterHasOneLock: under any of its addresses.
func TestOneClusterHasOneLock(t *testing.T) {
	t.Parallel()
	store := storeInMemory(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			store.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"cluster_uuid":"N7aNzft2Qc","version":{"number":"9.5.3"}}`)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	c, _, wait := blockedRun(t, dir, server.URL, "notes")
	second := programIn(t, dir, "sync", "notes")
	second.Env = append(second.Env, "ELASTIC_INGEST__ELASTICSEARCH__HOST="+strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	if got, out := exitOf(second); got != ExitLocked {
		t.Errorf("exit %d: %s", got, out)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait()
}
