package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

func do(t *testing.T, s *Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://embedded"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out.String()
}

// TestDiskFails fills the disk at different depths of Pebble. Whatever fails, a request that could
// not be kept is answered with 500, no request hangs, and Close returns the error.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(errorfs.Op) bool{
		"log":      func(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".log") },
		"tables":   func(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".sst") },
		"manifest": func(op errorfs.Op) bool { return strings.Contains(op.Path, "MANIFEST") },
		"all":      func(errorfs.Op) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var full atomic.Bool
			disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
				if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && fails(op) {
					return syscall.ENOSPC
				}
				return nil
			}))
			s, err := open(Options{}, storeOptions{dir: "data", fs: disk, cache: 8 << 20})
			if err != nil {
				t.Fatal(err)
			}
			if status, body := do(t, s, http.MethodPut, "/i/_doc/1", `{"a":1}`); status != http.StatusCreated {
				t.Fatalf("status %d: %s", status, body)
			}
			full.Store(true)
			status, body := 0, ""
			for n := 0; n < 400 && status != http.StatusInternalServerError; n++ {
				document := fmt.Sprintf("{\"index\":{\"_id\":\"%d\"}}\n{\"a\":%q}\n", n, strings.Repeat("x", 1<<16))
				status, body = do(t, s, http.MethodPost, "/i/_bulk", document)
				if n%20 == 19 && status == http.StatusOK {
					status, body = do(t, s, http.MethodPost, "/i/_refresh", "")
				}
			}
			if status != http.StatusInternalServerError || !strings.Contains(body, "embedded_store_exception") || !strings.Contains(body, syscall.ENOSPC.Error()) {
				t.Fatalf("status %d: %.300s", status, body)
			}
			if status, body := do(t, s, http.MethodPut, "/i/_doc/2", `{}`); status != http.StatusInternalServerError {
				t.Errorf("the next write: status %d: %s", status, body)
			}
			if err := s.Close(); !errors.Is(err, syscall.ENOSPC) && (err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error())) {
				t.Errorf("Close says %v", err)
			}
		})
	}
}

// TestAFullDiskIsFoundBeforeTheStoreIsOpened: what Pebble has begun when it finds out would end the process.
func TestAFullDiskIsFoundBeforeTheStoreIsOpened(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	var refused atomic.Int32
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite {
			refused.Add(1)
			return syscall.ENOSPC
		}
		return nil
	}))
	for n := range 8 { // so that there is something to compact
		s, err := open(Options{}, storeOptions{dir: "data", fs: disk, cache: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := do(t, s, http.MethodPut, "/i/_doc/1?refresh=true", fmt.Sprintf(`{"n":%d}`, n)); status >= 300 {
			t.Fatalf("status %d: %s", status, body)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	full.Store(true)
	if _, err := open(Options{}, storeOptions{dir: "data", fs: disk, cache: 8 << 20}); !errors.Is(err, syscall.ENOSPC) || refused.Load() != 1 {
		t.Errorf("%d writes: %v", refused.Load(), err)
	}
	full.Store(false)
	names, err := disk.List("data")
	if err != nil || slices.Contains(names, "trial") {
		t.Errorf("the folder holds %q, %v", names, err)
	}
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{MaxBody: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if status, body := do(t, s, http.MethodPut, "/i/_doc/1", `{"a":"`+strings.Repeat("x", 92)+`"}`); status != http.StatusCreated {
		t.Errorf("100 bytes: status %d: %s", status, body)
	}
	if status, body := do(t, s, http.MethodPut, "/i/_doc/1", `{"a":"`+strings.Repeat("x", 93)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("101 bytes: status %d: %s", status, body)
	}
}

func BenchmarkCheck(b *testing.B) {
	doc := []byte(`{"id":17,"price":"12.50","active":true,"created":"2024-05-01T10:00:00Z","title":"` + strings.Repeat("the mirror of a table ", 40) + `"}`)
	b.SetBytes(int64(len(doc)))
	c := newChecker()
	for b.Loop() {
		if e := checkSource(c, doc); e != nil {
			b.Fatal(e)
		}
	}
}

func BenchmarkStandardValid(b *testing.B) {
	doc := []byte(`{"id":17,"price":"12.50","active":true,"created":"2024-05-01T10:00:00Z","title":"` + strings.Repeat("the mirror of a table ", 40) + `"}`)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if !json.Valid(doc) {
			b.Fatal("not valid")
		}
	}
}

// TestACrashIsAnErrorOfItsRequest: a panic while a request is worked on does not end the program with the code of
// a wrong command line. The caller gets it, and nothing more is written to a store that may be half written.
func TestACrashIsAnErrorOfItsRequest(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.routes = []route{
		{methods: "PUT", path: "bad", handle: func(*Server, *request) (*answer, error) { panic("a bug") }},
		{methods: "PUT", path: "good", handle: func(s *Server, _ *request) (*answer, error) {
			return &answer{status: http.StatusOK}, s.store.guard(func() error { return nil })
		}},
	}
	if status, body := do(t, s, http.MethodPut, "/good", ""); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://embedded/bad", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Transport().RoundTrip(r)
	if p, crashed := errors.AsType[*crash.Error](err); !crashed || p.Value != "a bug" {
		t.Errorf("got %v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	if status, body := do(t, s, http.MethodPut, "/good", ""); status != http.StatusInternalServerError {
		t.Errorf("after it, status %d: %s", status, body)
	}
	if err := s.Close(); err == nil {
		t.Error("Close says nothing of it")
	}
}
