package state

import (
	"os"
	"testing"
)

func TestAJobIsHeldByOneProgram(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	release, ok, err := d.HoldJob("j", "first")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := d.HoldJob("j", "second"); ok || err != nil {
		t.Errorf("a second program holds it: %v, %v", ok, err)
	}
	if d.JobLeft("j", "first") || d.JobLeft("other", "first") {
		t.Error("a job that is held was left, or one that never was")
	}
	release(true)
	if d.JobLeft("j", "first") {
		t.Error("a job that was released was left")
	}
	lock, claim := d.jobFiles("j")
	for _, file := range []string{lock, claim} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s of a job that was released stays", file)
		}
	}
}

// TestAJobIsLeftByAKilledProgram: which releases nothing, so its file stays and its lock ends.
func TestAJobIsLeftByAKilledProgram(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	release, _, err := d.HoldJob("j", "first")
	if err != nil {
		t.Fatal(err)
	}
	release(true)
	_, claim := d.jobFiles("j")
	if err := os.WriteFile(claim, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !d.JobLeft("j", "first") {
		t.Error("it was not left")
	}
	for _, token := range []string{"second", ""} {
		if d.JobLeft("j", token) {
			t.Errorf("the claim %q, which another program wrote, was left", token)
		}
	}
}
