package embedded_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
)

// The test binary runs itself as a child process that holds a store; see child.
const (
	childDir  = "EMBEDDED_TEST_CHILD_DIR"
	childRole = "EMBEDDED_TEST_CHILD_ROLE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir, os.Getenv(childRole)))
	}
	os.Exit(m.Run())
}

// child opens the store in dir and says on stdout how far it is, until it is killed.
func child(dir, role string) int {
	s, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, "open")
	for n := 0; role == "write"; n++ {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n"+`{"round":%d,"check":"%s"}`+"\n", (n*7919+i)%5000, n, check(n, (n*7919+i)%5000))
		}
		r, err := http.NewRequest(http.MethodPost, "http://embedded/crash/_bulk", strings.NewReader(b.String()))
		if err != nil {
			return 1
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := s.Transport().RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusOK || resp.Body.Close() != nil {
			return 1
		}
		fmt.Fprintln(os.Stdout, n)
	}
	select {}
}

// check is the text that a whole document has.
func check(round, id int) string {
	return strings.Repeat(fmt.Sprintf("%d-%d ", round, id), 20)
}

func startChild(t *testing.T, dir, role string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childRole+"="+role)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the child says %q, not that it is open", lines.Text())
	}
	return cmd, lines
}

func killChild(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed; its exit status says nothing
}

// documents returns what an index holds, by id.
func documents(t *testing.T, s *embedded.Server, index string) map[string]json.RawMessage {
	t.Helper()
	out := map[string]json.RawMessage{}
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string          `json:"_id"`
				Source json.RawMessage `json:"_source"`
			}
		}
	}
	if err := json.Unmarshal(request(t, s, http.MethodPost, "/"+index+"/_search", `{"size":10000}`, http.StatusOK), &answer); err != nil {
		t.Fatal(err)
	}
	for _, hit := range answer.Hits.Hits {
		out[hit.ID] = hit.Source
	}
	return out
}

func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 3 {
		cmd, lines := startChild(t, dir, "write")
		for range 5 + 20*round {
			if !lines.Scan() {
				t.Fatal("the child ended by itself")
			}
		}
		killChild(t, cmd)

		var want map[string]json.RawMessage
		for _, readOnly := range []bool{true, false} {
			s, err := embedded.Open(embedded.Options{Dir: dir, ReadOnly: readOnly})
			if err != nil {
				t.Fatalf("round %d, read-only %v: %v", round, readOnly, err)
			}
			got := documents(t, s, "crash")
			if len(got) == 0 {
				t.Fatalf("round %d: nothing survived", round)
			}
			for id, source := range got {
				checkWhole(t, id, source)
			}
			if count := request(t, s, http.MethodGet, "/crash/_count?filter_path=count", "", http.StatusOK); string(count) != fmt.Sprintf(`{"count":%d}`, len(got)) {
				t.Errorf("round %d: %s documents counted, %d found", round, count, len(got))
			}
			if want != nil {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("round %d: the read-only open saw something else (-read-only +writable):\n%s", round, diff)
				}
			}
			want = got
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkWhole(t *testing.T, id string, source json.RawMessage) {
	t.Helper()
	var doc struct {
		Round int
		Check string
	}
	if err := json.Unmarshal(source, &doc); err != nil {
		t.Fatalf("document %s: %v", id, err)
	}
	var n int
	if _, err := fmt.Sscan(id, &n); err != nil {
		t.Fatal(err)
	}
	if want := check(doc.Round, n); doc.Check != want {
		t.Fatalf("document %s of round %d is not whole: %q", id, doc.Round, doc.Check)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd, _ := startChild(t, dir, "hold")
	for _, readOnly := range []bool{false, true} {
		if _, err := embedded.Open(embedded.Options{Dir: dir, ReadOnly: readOnly}); !errors.Is(err, embedded.ErrInUse) {
			t.Errorf("read-only %v: got %v, want ErrInUse", readOnly, err)
		}
	}
	killChild(t, cmd)
	s := elastictest.Embedded(t, embedded.Options{Dir: dir})
	if _, err := embedded.Open(embedded.Options{Dir: dir}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("in the same process: got %v, want ErrInUse", err)
	}
	request(t, s, http.MethodGet, "/", "", http.StatusOK)
}

// folder is the state of every file below dir but the lock.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "LOCK" {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = fmt.Sprintf("%x %v %v", sha256.Sum256(b), info.ModTime(), info.Mode())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadOnlyLeavesTheFolderAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd, lines := startChild(t, dir, "write")
	for range 10 {
		lines.Scan()
	}
	killChild(t, cmd) // so that there is a log to replay

	before := folder(t, dir)
	s, err := embedded.Open(embedded.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(documents(t, s, "crash")) == 0 {
		t.Error("nothing was found")
	}
	request(t, s, http.MethodPost, "/crash/_refresh", "", http.StatusOK)
	request(t, s, http.MethodPost, "/crash/_pit?keep_alive=1m", "", http.StatusOK)
	for _, write := range []struct{ method, path, body string }{
		{http.MethodPut, "/crash/_doc/1", `{}`},
		{http.MethodPost, "/crash/_bulk", "{\"delete\":{\"_id\":\"1\"}}\n"},
		{http.MethodDelete, "/crash", ""},
		{http.MethodPut, "/other", ""},
		{http.MethodPut, "/crash/_mapping", `{"_meta":{}}`},
		{http.MethodPost, "/crash/_update/1", `{"doc":{}}`},
		{http.MethodDelete, "/crash/_doc/1", ""},
	} {
		request(t, s, write.method, write.path, write.body, http.StatusForbidden)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, folder(t, dir)); diff != "" {
		t.Errorf("files changed (-before +after):\n%s", diff)
	}
}

func TestReadOnlyOfNothing(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"absent": filepath.Join(t.TempDir(), "a", "b"), "empty": t.TempDir()} {
		s, err := embedded.Open(embedded.Options{Dir: dir, ReadOnly: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		request(t, s, http.MethodGet, "/", "", http.StatusOK)
		request(t, s, http.MethodGet, "/any", "", http.StatusNotFound)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dir)
		if len(entries) > 0 || name == "absent" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the folder now has %v (%v)", name, entries, err)
		}
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	request(t, s, http.MethodPut, "/kept", `{"settings":{"number_of_replicas":0},"mappings":{"_meta":{"owner":"me"},"properties":{"k":{"type":"keyword"}}}}`, http.StatusOK)
	request(t, s, http.MethodPut, "/gone", "", http.StatusOK)
	request(t, s, http.MethodPut, "/kept/_doc/1", `{"k":"v"}`, http.StatusCreated)
	request(t, s, http.MethodPut, "/gone/_doc/1", `{"k":"v"}`, http.StatusCreated)
	request(t, s, http.MethodDelete, "/gone", "", http.StatusOK)
	before := request(t, s, http.MethodGet, "/kept", "", http.StatusOK)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second close: %v", err)
	}
	if status, _ := send(t, s, http.MethodGet, "/kept", nil); status != http.StatusServiceUnavailable {
		t.Errorf("closed: status %d", status)
	}

	s = elastictest.Embedded(t, embedded.Options{Dir: dir})
	if diff := cmp.Diff(string(before), string(request(t, s, http.MethodGet, "/kept", "", http.StatusOK))); diff != "" {
		t.Errorf("the index changed (-before +after):\n%s", diff)
	}
	request(t, s, http.MethodGet, "/gone", "", http.StatusNotFound)
	if got := documents(t, s, "kept"); string(got["1"]) != `{"k":"v"}` {
		t.Errorf("documents are %s", got)
	}
	out := request(t, s, http.MethodPut, "/kept/_doc/1", `{"k":"w"}`, http.StatusOK)
	if !bytes.Contains(out, []byte(`"_version":2`)) || !bytes.Contains(out, []byte(`"_seq_no":1`)) {
		t.Errorf("numbers do not continue: %s", out)
	}
	request(t, s, http.MethodPut, "/gone", "", http.StatusOK)
	request(t, s, http.MethodGet, "/gone/_doc/1", "", http.StatusNotFound)
}

func TestNotAFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		if s, err := embedded.Open(embedded.Options{Dir: file, ReadOnly: readOnly}); err == nil {
			t.Errorf("read-only %v: a file was opened as a store: %v", readOnly, s.Close())
		}
	}
}
