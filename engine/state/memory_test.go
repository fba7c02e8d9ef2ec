package state

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVanishedScopesAreKept(t *testing.T) {
	t.Parallel()
	d := Dir(filepath.Join(t.TempDir(), "state"))
	expect := func(name, destination, index, of string, want ...string) {
		t.Helper()
		got, err := d.Vanished(destination, index, of)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	keep := func(scopes ...string) {
		t.Helper()
		if err := d.KeepVanished("http://a", "x", "me", scopes); err != nil {
			t.Fatal(err)
		}
	}
	expect("before the first", "http://a", "x", "me")
	keep()
	keep("public.a", "public.b")
	expect("kept", "http://a", "x", "me", "public.a", "public.b")
	expect("of another", "http://a", "x", "other")
	expect("another index", "http://a", "y", "me")
	expect("another destination", "http://b", "x", "me")
	keep("ä\"\n")
	expect("replaced", "http://a", "x", "me", "ä\"\n")
	entries, err := os.ReadDir(filepath.Join(string(d), "vanished"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	file := filepath.Join(string(d), "vanished", entries[0].Name())
	if err := os.WriteFile(file, []byte(`{"of":"me","kept":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Vanished("http://a", "x", "me"); err == nil || got != nil {
		t.Errorf("half a file: %v, %v", got, err)
	}
	keep()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("nothing is kept, and the file is there: %v", err)
	}
}

func TestTurnsAreKept(t *testing.T) {
	t.Parallel()
	d := Dir(filepath.Join(t.TempDir(), "state"))
	if got, err := d.Turns("http://a", "x", "me"); err != nil || got != nil || !d.LastTurn("http://a", "x").IsZero() {
		t.Fatalf("before the first: %v, %v", got, err)
	}
	before := time.Now().Add(-2 * time.Second) // a file's time may be coarse
	want := map[string]int64{"public.a": 0, "public.b": 1_790_000_000}
	if err := d.KeepTurns("http://a", "x", "me", want); err != nil {
		t.Fatal(err)
	}
	got, err := d.Turns("http://a", "x", "me")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := d.Turns("http://a", "x", "other"); err != nil || got != nil {
		t.Errorf("of another: %v, %v", got, err)
	}
	if at := d.LastTurn("http://a", "x"); at.Before(before) || !d.LastTurn("http://a", "y").IsZero() {
		t.Errorf("last turn %v", at)
	}
}
