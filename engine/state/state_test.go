package state

import (
	"errors"
	"testing"
	"time"
)

func TestLockKeepsAnotherRunAway(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	unlock, err := d.Lock("http://a", "x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock("http://a", "x", time.Now()); !errors.Is(err, ErrLocked) {
		t.Fatalf("second lock: %v", err)
	}
	other, err := d.Lock("http://b", "x", time.Now())
	if err != nil {
		t.Fatalf("another destination: %v", err)
	}
	other()
	unlock()
	again, err := d.Lock("http://a", "x", time.Now())
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	again()
}
