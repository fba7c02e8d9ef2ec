package testenv

import (
	"fmt"
	"testing"
)

// ended is a test that notes how it ends.
type ended struct {
	testing.TB
	how string
}

func (e *ended) Helper() {}

func (e *ended) Fatalf(format string, args ...any) { e.how = "failed: " + fmt.Sprintf(format, args...) }

func (e *ended) Skipf(format string, args ...any) {
	if e.how == "" { // Fatalf would have ended a real test
		e.how = "skipped: " + fmt.Sprintf(format, args...)
	}
}

// TestWhatIsMissingFailsOnlyInCI, and what is optional is skipped there as well.
func TestWhatIsMissingFailsOnlyInCI(t *testing.T) { // not parallel: it sets variables
	const name = "TEST_TESTENV"
	for _, tt := range []struct {
		ci, value string
		read      func(testing.TB, string) string
		want      string
	}{
		{"", "", Required, "skipped: TEST_TESTENV is not set"},
		{"", "v", Required, ""},
		{"true", "", Required, "failed: TEST_TESTENV is not set"},
		{"true", "v", Required, ""},
		{"", "", Optional, "skipped: TEST_TESTENV is not set"},
		{"true", "", Optional, "skipped: TEST_TESTENV is not set"},
		{"true", "v", Optional, ""},
	} {
		t.Setenv("CI", tt.ci)
		t.Setenv(name, tt.value)
		e := &ended{TB: t}
		if got := tt.read(e, name); got != tt.value || e.how != tt.want {
			t.Errorf("CI=%s, %q: got %q, %q, want %q", tt.ci, tt.value, got, e.how, tt.want)
		}
	}
}
