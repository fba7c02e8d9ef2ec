package fault

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/testenv"
)

// Disk mounts a file system of so many KiB for the test to fill, and returns its folder. That requires root: without,
// the test is skipped, or fails as with [testenv.Missing].
func Disk(t testing.TB, kib int) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kib))
	if err != nil {
		testenv.Missing(t, "a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// Grow changes the size of a file system that [Disk] mounted.
func Grow(t testing.TB, dir string, kib int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dk", kib)); err != nil {
		t.Fatalf("remount %s: %v", dir, err)
	}
}
