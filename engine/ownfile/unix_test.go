//go:build unix

package ownfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOnlyRegularFilesAreOpened: nothing waits for a reader, and the target of a link is not touched.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link, pipe := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(target, []byte("kept"), 0o644); err != nil { //nolint:gosec // that others may read it is the point
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, pipe, dir, "/dev/null"} {
		for name, do := range map[string]func(string) error{
			"check": Check, "ready": Ready,
			"create": func(p string) error { _, err := Create(p); return err },
			"append": func(p string) error { _, err := Append(p); return err },
		} {
			if err := do(path); !errors.Is(err, ErrKind) {
				t.Errorf("%s %s: %v", name, path, err)
			}
		}
	}
	if kept, err := os.ReadFile(target); err != nil || string(kept) != "kept" {
		t.Errorf("target of the link: %q, %v", kept, err)
	}
}

// TestFilesAreForTheirOwnerAlone: whatever stood there before.
func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "file")
	for range 2 {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // that is what an earlier program may have left
			t.Fatal(err)
		}
	}
	if err := Ready(path); err != nil {
		t.Error(err)
	}
	if err := Ready(path + "-not"); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path + "-not"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("asking has left a file: %v", err)
	}
}
