package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// The nights of a silent source run on a clock of their own, which only an embedded destination shares.

func stalled(d *dark, timeout time.Duration) {
	d.deps.StallTimeout = timeout
	d.source.Silent = map[string]time.Duration{"b": 20 * time.Minute}
}

// TestNightOfASilentSource: a point in time lives for five minutes when nobody uses it. A part that is
// silent for twenty has deletes all the same, because somebody did.
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
			finds: []string{whole},
		}}}.run(t)
	})
}

func searches(sent []string) (n int) {
	for _, r := range sent {
		if strings.HasSuffix(r, " /_search") { // not that of an index, which counts what could not be indexed
			n++
		}
	}
	return n
}

// TestNightOfASourceThatStaysSilent: beyond the stall timeout the run ends as temporary, and what the
// other part is known to lack is not deleted either.
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

// TestNightOfASilentSourceAndABusyNode: the node refuses for a time what keeps the point in time. Less
// than its life is borne; where it is longer, nothing is deleted.
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
		{"shorter than the life of the point in time", 4, []string{whole}},
		{"longer", 7, []string{"exit 4: 20 created, 2 updated, 0 deleted", "withheld: 3: the point in time was lost"}},
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
