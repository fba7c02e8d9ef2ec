// Package golden compares what a test got with a file that was reviewed. Only tests import it.
//
// It has the flag -update of every test that does: the files are then rewritten, see make golden.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Updates reports whether the golden files are rewritten.
func Updates() bool { return *update }

// Compare fails the test if a file has another content.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		for _, err := range []error{os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o644)} { //nolint:gosec // files of the repository
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("differs from %s (-want +got; -update rewrites it):\n%s", file, d)
	}
}
