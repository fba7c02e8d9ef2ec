package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// The nights of a silent source use a fake clock, which only an embedded destination shares.

func stalled(d *dark, timeout time.Duration) {
	d.deps.StallTimeout = timeout
	d.source.Silent = map[string]time.Duration{"b": 20 * time.Minute}
}

// TestNightOfASilentSource: an unused point in time lives for five minutes. If a part is silent for twenty, there
// are deletes nevertheless, because the run keeps the point in time alive.
func TestNightOfASilentSource(t *testing.T) {
	t.Parallel()
	if *destination != "" {
		t.Skip("the clock of a server cannot be set")
	}
	synctest.Test(t, func(t *testing.T) {
		night{runs: []broken{{
			breaks: func(d *dark) {
				stalled(d, 30*time.Minute)
				begun := time.Now()
				d.after = func() {
					if took := time.Since(begun); took < 20*time.Minute || took > 21*time.Minute {
						d.t.Errorf("the run took %v", took)
					}
					// One for the scan, one a minute, one for the deletes.
					if n := searches(d.sent); n != 22 {
						d.t.Errorf("the point in time was used %d times, want 22", n)
					}
				}
			},
			finds: []string{undisturbed},
		}}}.run(t)
	})
}

func searches(sent []string) (n int) {
	for _, r := range sent {
		if strings.HasSuffix(r, " /_search") { // not on an index: such a request counts unindexed values
			n++
		}
	}
	return n
}

// TestNightOfASourceThatStaysSilent: beyond the stall timeout the run ends as temporary, and the known deletes of
// the other part are not done either.
func TestNightOfASourceThatStaysSilent(t *testing.T) {
	t.Parallel()
	if *destination != "" {
		t.Skip("the clock of a server cannot be set")
	}
	synctest.Test(t, func(t *testing.T) {
		night{runs: []broken{{
			breaks: func(d *dark) { stalled(d, 19*time.Minute) },
			finds:  []string{"exit 5: 10 created, 1 updated, 0 deleted", "error: b: nothing came for 19m0s, the stall timeout"},
		}}}.run(t)
	})
}

// TestNightOfASilentSourceAndABusyNode: the node refuses for a time the requests that keep the point in time
// alive. A shorter time is harmless; after a longer one, nothing is deleted.
func TestNightOfASilentSourceAndABusyNode(t *testing.T) {
	t.Parallel()
	if *destination != "" {
		t.Skip("the clock of a server cannot be set")
	}
	for _, tc := range []struct {
		name    string
		minutes int
		finds   []string
	}{
		{"shorter than the life of the point in time", 4, []string{undisturbed}},
		{"longer", 7, []string{"exit 4: 20 created, 2 updated, 0 deleted", "held back: 3: the point in time was lost"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				night{runs: []broken{{
					breaks: func(d *dark) {
						stalled(d, 30*time.Minute)
						d.rules = []fault.Rule{{Path: "_search", Skip: 3, Times: tc.minutes, Answer: busy}}
						d.deps.Retry.Patience = 0
					},
					finds: tc.finds,
				}}}.run(t)
			})
		})
	}
}
