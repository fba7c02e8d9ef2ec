package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestALockNamesItsHolder while it is held, and no longer.
func TestALockNamesItsHolder(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := d.Lock("http://a", "x", time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`index "x": another run holds the lock (pid %d on %s since 2030-01-02T03:04:05Z)`, os.Getpid(), host)
	if _, err := d.Lock("http://a", "x", time.Now()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	unlock()
	if got := d.HeldBy("http://a", "x"); got != "" {
		t.Errorf("after unlock: %s", got)
	}
}

// TestANoteOfAHolderMayContainAnything: the message is then without it.
func TestANoteOfAHolderMayContainAnything(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	file := d.holderFile("http://a", "x")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	const since = `"since":"2030-01-02T03:04:05Z"`
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"\x00\xff", ""},
		{`{"pid":`, ""},
		{`[]`, ""},
		{`{"pid":7,"host":"elsewhere"}`, ""},
		{`{"pid":-7,"host":"elsewhere",` + since + `}`, ""},
		{`{"pid":7,"host":"a\u001b[31mb",` + since + `}`, ""},
		{`{"pid":7,"host":"a\nerror: b",` + since + `}`, ""},
		{`{"pid":7,"host":"` + strings.Repeat("h", 254) + `",` + since + `}`, ""},
		{strings.Repeat(" ", mostOfHolder) + `{"pid":7,"host":"elsewhere",` + since + `}`, ""},
		{`{"pid":7,"host":"elsewhere",` + since + `}`, " (pid 7 on elsewhere since 2030-01-02T03:04:05Z)"},
	} {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := d.HeldBy("http://a", "x"); got != tt.want {
			t.Errorf("%.60q: got %q, want %q", tt.text, got, tt.want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	unlock, err := d.Lock("http://a", "x", time.Now())
	if err != nil {
		t.Fatalf("a folder in place of the note: %v", err)
	}
	unlock()
}

// TestAProcessThatHasEndedIsNotNamed: it left its note when it was killed.
func TestAProcessThatHasEndedIsNotNamed(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]bool{os.Getpid(): true, 1<<30 + 12345: false} { // no system has that many processes
		if h := (note{pid, host, time.Now()}); h.plausible() != want {
			t.Errorf("pid %d: want %t", pid, want)
		}
	}
}
