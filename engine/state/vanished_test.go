package state

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

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
	if err := os.WriteFile(file, []byte(`{"of":"me","scopes":`), 0o600); err != nil {
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
