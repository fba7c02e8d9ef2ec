//go:build !unix

package dir

import "testing"

// canBeDenied is false where the bits of a mode take no rights away.
const canBeDenied = false

func deny(t *testing.T, _ string) {
	t.Helper()
	t.Fatal("no rights can be taken away here")
}
