package engine_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/elastictest"
	"github.com/elastic-ingest/elastic-ingest/engine/fault"
)

// TestTwoFirstRunsOfTwoOwners: two runs start concurrently, on two machines, with an index that does not exist.
// Both notice that before either creates it. Still, it belongs to one of them, and the other writes and deletes
// nothing there.
func TestTwoFirstRunsOfTwoOwners(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		for range 20 {
			twoOwners(t, "")
		}
	})
	t.Run("elasticsearch", func(t *testing.T) {
		t.Parallel()
		url := elastictest.Server(t)
		for range 5 {
			twoOwners(t, url)
		}
	})
}

func twoOwners(t *testing.T, url string) {
	t.Helper()
	one, two := newHarnessOn(t, url), newHarnessOn(t, url)
	two.store, two.job.Index = one.store, one.job.Index
	both := []*harness{one, two}
	want := []map[string]string{{}, {}}
	var makes, ended sync.WaitGroup
	makes.Add(len(both))
	errs := make([]error, len(both))
	for i, h := range both {
		h.job.Owner = fmt.Sprint("memory/", i)
		for n := range 30 { // some ids exist in both, with different values
			id, value := fmt.Sprint(i*20+n), fmt.Sprint("of ", i)
			h.source.Parts["a"] = append(h.source.Parts["a"], doc("a", id, value))
			want[i][id] = value
		}
		arrives := sync.OnceFunc(makes.Done)
		h.rules = []fault.Rule{{Method: http.MethodPut, Path: h.job.Index, Times: 1, Pass: true, Before: func() { // it is missing for both
			arrives()
			makes.Wait()
		}}}
		ended.Go(func() {
			defer arrives()
			_, errs[i] = h.run(t.Context())
		})
	}
	ended.Wait()
	won := 0
	if errs[0] != nil {
		won = 1
	}
	if errs[won] != nil || !errors.Is(errs[1-won], engine.ErrForeign) {
		t.Fatalf("%v", errs)
	}
	for i, h := range both {
		if wrote := strings.Contains(strings.Join(h.sent, "\n"), "_bulk"); wrote != (i == won) {
			t.Errorf("%d wrote: %t", i, wrote)
		}
	}
	if got := both[won].held(); !maps.Equal(got, want[won]) {
		t.Errorf("the index of %d holds %v", won, got)
	}
	if res := both[won].sync(); res.Differences() {
		t.Errorf("the next run of the owner: %+v", res.Counts)
	}
	if _, err := both[1-won].run(t.Context()); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("the next run of the other: %v", err)
	}
}
