package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/crash"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// view is the index at one point in time. The nil view was never opened.
type view struct {
	*destination

	pit  *elastic.PIT
	lost atomic.Bool
}

func (d *destination) openView(ctx context.Context) (*view, error) {
	pit, err := d.deps.Client.OpenPIT(ctx, d.index)
	if err != nil {
		return nil, err
	}
	return &view{destination: d, pit: pit}, nil
}

// hold keeps the point in time alive until ctx ends.
func (v *view) hold(ctx context.Context, stopReading context.CancelCauseFunc, wg *sync.WaitGroup) {
	if v == nil {
		return
	}
	wg.Go(func() { // ends with ctx
		err := guarded(func() error { return v.pit.Hold(ctx) })
		if _, crashed := errors.AsType[*crash.Error](err); crashed {
			stopReading(err)
		}
		if err != nil {
			v.lost.Store(true)
			v.deps.Log.Warn("the point in time is lost: nothing will be deleted", report.Err, err.Error())
		}
	})
}

func (v *view) close(ctx context.Context) {
	if v == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := v.pit.Close(ctx); err != nil {
		v.deps.Log.Debug("cannot close the point in time", report.Err, err.Error())
	}
}

// isLost reports whether the point in time no longer exists.
func (v *view) isLost() bool { return v != nil && v.lost.Load() }

// scanIDs reads complete documents by their sorted ids. No document has an empty id, and Elasticsearch rejects a
// lookup of one.
func (v *view) scanIDs(ctx context.Context, list []string, each func(elastic.Hit) error) error {
	if len(list) > 0 && list[0] == "" {
		list = list[1:]
	}
	query, err := json.Marshal(map[string]any{"ids": map[string]any{"values": list}})
	if err != nil {
		return fmt.Errorf("look documents up: %w", err)
	}
	scan := elastic.Scan{Source: v.fullSource(), Query: query, SeqNo: true, Slices: 1, Retry: v.deps.Retry}
	return v.pit.Scan(ctx, scan, func(int) func(elastic.Hit) error { return each })
}
