//go:build unix

package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/ownfile"
)

// patience is for what takes no time, on whatever machine.
const patience = 3 * time.Minute

// TestAPipeInPlaceOfALockIsRefused: opening it would wait for whoever opens the other end, which no signal ends. It
// is named instead, and left unchanged.
func TestAPipeInPlaceOfALockIsRefused(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	lock, claim := d.jobFiles("j")
	for name, tt := range map[string]struct {
		file string
		do   func() error
	}{
		"of an index": {filepath.Join(string(d), "locks", Key("http://a", "x")+".lock"), func() error {
			_, err := d.Lock("http://a", "x", time.Now())
			return err
		}},
		"of a job": {lock, func() error {
			_, _, err := d.HoldJob("j", "token")
			return err
		}},
		"the claim of a job": {claim, func() error {
			_, _, err := d.HoldJob("j", "token")
			return err
		}},
	} {
		pipeAt(t, tt.file)
		if err := inTime(t, tt.do); !errors.Is(err, ownfile.ErrKind) || !strings.Contains(err.Error(), tt.file+" is not a regular file, but a pipe") {
			t.Errorf("%s: %v", name, err)
		}
		left := inTime(t, func() error {
			if d.JobLeft("j", "token") {
				return errors.New("a job was left")
			}
			return nil
		})
		if left != nil {
			t.Errorf("%s: %v", name, left)
		}
		if info, err := os.Lstat(tt.file); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("%s: the pipe is gone: %v, %v", name, info, err)
		}
		if err := os.Remove(tt.file); err != nil {
			t.Fatal(err)
		}
	}
	release, ok, err := d.HoldJob("j", "token") // nothing of it keeps the lock
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	release(true)
}

func pipeAt(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// inTime fails the test if do hangs.
func inTime(t *testing.T, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }() // ends with do
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("it hangs")
		return nil
	}
}

// TestAFolderWithoutWritePermission: for every user but root, whom no permission stops.
func TestAFolderWithoutWritePermission(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may write into every folder")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil { //nolint:gosec // a folder needs its execute permission
		t.Fatal(err)
	}
	for _, d := range []Dir{Dir(dir), Dir(filepath.Join(dir, "state"))} {
		if err := d.Writable(); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: %v", d, err)
		}
	}
}
