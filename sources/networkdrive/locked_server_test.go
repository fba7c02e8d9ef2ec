//go:build linux

package networkdrive

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// A file of which another program has locked a range fails, and is not taken for an empty one; its neighbor is
// read.
func TestLockedFile(t *testing.T) {
	t.Parallel()
	s := needsSamba(t)
	name, local := s.folderOf(t, map[string]string{"locked.txt": strings.Repeat("x", 1000), "free.txt": "free"})
	f, err := os.OpenFile(filepath.Join(local, "locked.txt"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 0, Len: 1000}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	docs, failed := readEach(t, opened(t, s.values(name, nil), source.Env{}))
	if len(docs) != 2 || len(failed) > 0 {
		t.Fatalf("got %q, failed %v", names(docs), failed)
	}
	if text, err := contentOf(t.Context(), docs["locked.txt"]); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("locked: got %d bytes, %v; want an error that says so", len(text), err)
	}
	if text, err := contentOf(t.Context(), docs["free.txt"]); err != nil || text != "free" {
		t.Errorf("its neighbor: got %q, %v", text, err)
	}
}
