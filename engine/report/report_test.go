package report

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSnapshotHasEveryCounter: a counter that is added later and forgotten in the copy is found here.
func TestSnapshotHasEveryCounter(t *testing.T) {
	t.Parallel()
	var c Counters
	live := reflect.ValueOf(&c).Elem()
	counters := 0
	for i := range live.NumField() {
		if live.Type().Field(i).IsExported() {
			live.Field(i).Addr().Interface().(*atomic.Int64).Store(int64(i + 1))
			counters++
		}
	}
	got := reflect.ValueOf(c.Snapshot())
	for i := range live.NumField() {
		name := live.Type().Field(i).Name
		if !live.Type().Field(i).IsExported() {
			continue
		}
		f := got.FieldByName(name)
		if !f.IsValid() {
			t.Errorf("a snapshot has no %s", name)
			continue
		}
		if f.Int() != int64(i+1) {
			t.Errorf("%s = %d, want %d", name, f.Int(), i+1)
		}
	}
	if got.NumField() != counters {
		t.Errorf("a snapshot has %d fields, the counters %d", got.NumField(), live.NumField())
	}
}

// TestAddHasEveryCount: the totals of several connectors leave nothing out.
func TestAddHasEveryCount(t *testing.T) {
	t.Parallel()
	var a, b Snapshot
	for i := range reflect.TypeFor[Snapshot]().NumField() {
		reflect.ValueOf(&a).Elem().Field(i).SetInt(int64(i + 1))
		reflect.ValueOf(&b).Elem().Field(i).SetInt(int64(100 * (i + 1)))
	}
	a.Add(b)
	sum := reflect.ValueOf(a)
	for i := range sum.NumField() {
		if got, want := sum.Field(i).Int(), int64(101*(i+1)); got != want {
			t.Errorf("%s = %d, want %d", sum.Type().Field(i).Name, got, want)
		}
	}
}

func TestCountersFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var c Counters
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			last := int64(0)
			for range 1000 {
				c.Read.Add(1)
				s := c.Snapshot()
				if s.Read < last {
					t.Errorf("Read fell from %d to %d", last, s.Read)
				}
				last = s.Read
			}
		})
	}
	wg.Wait()
	if got := c.Snapshot().Read; got != 8000 {
		t.Errorf("Read = %d, want 8000", got)
	}
}
