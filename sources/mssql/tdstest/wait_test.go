package tdstest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// TestAnswersMayWait checks that the response is computed after the wait.
func TestAnswersMayWait(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	wait := make(chan struct{})
	var done atomic.Int32
	answer(s, "SELECT id FROM t", tdstest.Result{
		Wait: wait, Then: func() tdstest.Result { return ids([]any{7}) }, Done: func() { done.Add(1) },
	})
	close(wait)
	got, err := read(t.Context(), open(t, s.DSN()), "SELECT id FROM t")
	if d := cmp.Diff([][]any{{int64(7)}}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if done.Load() != 1 {
		t.Errorf("Done was called %d times", done.Load())
	}
}

// TestOneSessionIsKilled, and no other.
func TestOneSessionIsKilled(t *testing.T) {
	t.Parallel()
	s := tdstest.New(t, config())
	answer(s, "select 1;", ids([]any{1})) // the driver's ping
	db := open(t, s.DSN())
	ended := make(chan int, 2)
	s.Ended(func(session int) { ended <- session })
	for range 2 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if err := conn.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(map[int]string{1: "reader", 2: "reader"}, s.Sessions()); d != "" {
		t.Error(d)
	}
	s.Kill(2)
	select {
	case n := <-ended:
		if n != 2 {
			t.Errorf("session %d ended", n)
		}
	case <-time.After(3 * time.Minute):
		t.Error("no session ended")
	}
	if d := cmp.Diff(map[int]string{1: "reader"}, s.Sessions()); d != "" {
		t.Error(d)
	}
}
