package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// noting notes that it failed.
type noting struct {
	testing.TB
	failed bool
}

func (n *noting) Helper() {}

func (n *noting) Errorf(string, ...any) { n.failed = true }

func TestAnotherContentFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "golden.txt")
	if err := os.WriteFile(file, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]bool{"a\n": false, "a": true, "b\n": true, "": true} {
		n := &noting{TB: t}
		if Compare(n, file, got); n.failed != want {
			t.Errorf("%q: failed: %v", got, n.failed)
		}
	}
}
