package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestALockIsLookedAtWithoutTakingIt: who holds it is reported where the system knows, and nothing is created.
func TestALockIsLookedAtWithoutTakingIt(t *testing.T) {
	t.Parallel()
	d := Dir(filepath.Join(t.TempDir(), "state"))
	if h := d.Holder("http://a", "x"); h.Held {
		t.Errorf("before the first run: %+v", h)
	}
	if _, err := os.Stat(string(d)); !os.IsNotExist(err) {
		t.Errorf("the folder was created: %v", err)
	}
	unlock, err := d.Lock("http://a", "x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if h := d.Holder("http://a", "x"); h.Known && (!h.Held || h.PID != os.Getpid()) {
		t.Errorf("while it is held: %+v, want the process %d", h, os.Getpid())
	}
	if h := d.Holder("http://a", "y"); h.Held {
		t.Errorf("another index: %+v", h)
	}
	unlock()
	if h := d.Holder("http://a", "x"); h.Held {
		t.Errorf("after the run: %+v", h)
	}
}

// TestAStateFolderIsWritableOrCanBeCreated: the nearest folder that exists decides.
func TestAStateFolderIsWritableOrCanBeCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, good := range map[string]bool{
		dir: true, filepath.Join(dir, "a", "b"): true, file: false, filepath.Join(file, "below"): false,
	} {
		if err := Dir(path).Writable(); (err == nil) != good {
			t.Errorf("%s: %v", path, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("something was created: %v, %v", entries, err)
	}
}
