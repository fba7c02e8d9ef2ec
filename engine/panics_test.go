package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// TestAPanicInAnyGoroutineEndsTheRunInOrder: a panic in the scan, in the writer or in the keep-alive of the point
// in time, not only in a reader. The run ends with a crash, and nothing is deleted.
func TestAPanicInAnyGoroutineEndsTheRunInOrder(t *testing.T) {
	t.Parallel()
	crashes := func() { panic("a bug") }
	for name, breaks := range map[string]func(*dark){
		"the scan":   scripted(fault.Rule{Path: "_search", Before: crashes}),
		"the writer": scripted(fault.Rule{Path: "_bulk", Before: crashes}),
		"the point in time": func(d *dark) {
			stalled(d, 30*time.Minute)
			d.rules = []fault.Rule{{Path: "_search", Skip: 3, Before: crashes}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &dark{harness: newHarnessOn(t, ""), others: map[string]string{}}
				d.evening()
				d.sync()
				d.day()
				before := d.held()
				breaks(d)
				res, err := d.run(t.Context())
				if p, ok := errors.AsType[*crash.Error](err); !ok || p.Value != "a bug" {
					t.Errorf("%v", err)
				}
				after := d.held()
				for id := range before {
					if _, left := after[id]; !left {
						t.Errorf("%s was deleted", id)
					}
				}
				if res.Counts.Deleted != 0 {
					t.Errorf("%d were deleted", res.Counts.Deleted)
				}
			})
		})
	}
}
