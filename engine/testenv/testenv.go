// Package testenv is what tests need from this machine: variables of the environment that name servers and folders.
//
// Only tests import it. Its invariant: with CI=true, where testdata/services starts every server, no test is skipped
// because of something that is missing, except for what [Optional] names.
package testenv

import (
	"os"
	"testing"
)

// Required returns a variable, such as the address of a server. Without it, the test is skipped, or fails as with
// [Missing].
func Required(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		Missing(t, "%s is not set", name)
	}
	return v
}

// Optional returns a variable that no service sets, such as the folder of a data set. Without it, the test is always
// skipped.
func Optional(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Skipf("%s is not set", name)
	}
	return v
}

// Missing skips a test because this machine lacks something. With CI=true, where nothing may be missing, the test
// fails.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
