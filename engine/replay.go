package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// Replay sends documents of a dead-letter file once more, without asking the source, and deletes
// nothing. A document is passed over where the index holds a newer copy of it, or the same; one that
// somebody writes meanwhile is left alone. Rejected deletes are not repeated: the next sync looks
// whether they still are right.
func Replay(ctx context.Context, job Job, deps Deps, file string) (Result, error) {
	r := &run{job: job, deps: deps, rules: &rules.Set{}, started: deps.Now(), withheld: map[plan.Reason]int64{}}
	err := guarded(func() error { return r.replay(ctx, file) })
	return r.result(), err
}

func (r *run) replay(ctx context.Context, file string) error {
	err := r.reach(ctx)
	if errors.Is(err, elastic.ErrNotFound) {
		return fmt.Errorf("%w: index %q does not exist: sync without --replay makes it", ErrConfig, r.job.Index)
	}
	if err != nil {
		return err
	}
	unlock, err := r.deps.Lock(r.info.UUID, r.index.Name)
	if err != nil {
		return err
	}
	defer unlock()
	r.phase("sending rejected documents again")
	if err := r.through(ctx, func(reading context.Context) error { return r.replayFile(reading, file) }); err != nil {
		return err
	}
	if err := r.deps.Client.Refresh(ctx, r.index.Name); !errors.Is(err, elastic.ErrAuth) {
		return err
	}
	return nil
}

// again are rejected documents whose copies in the index are looked up together.
type again struct {
	list []docfile.Rejection
	ids  map[string]bool
	size int
}

// replayFile sends what the file holds of this connector and index, some documents at a time.
func (r *run) replayFile(ctx context.Context, file string) error {
	batch := again{ids: map[string]bool{}}
	ours := false
	for rejected, err := range docfile.Rejections(file) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("%w: --replay: %w", ErrConfig, err)
		}
		if rejected.Connector != r.job.Connector || rejected.Index != r.index.Name || rejected.Kind == plan.Delete.String() {
			r.passed++
			continue
		}
		ours = true
		r.deps.Counters.Read.Add(1)
		if batch.ids[rejected.ID] || len(batch.list) >= maxPending || batch.size >= maxPendingBytes {
			if err := r.sendAgain(ctx, &batch); err != nil {
				return err
			}
		}
		batch.list = append(batch.list, rejected)
		batch.ids[rejected.ID] = true
		batch.size += len(rejected.Document)
	}
	if !ours {
		return fmt.Errorf("%w: %s holds no document of connector %q for index %q", ErrConfig, file, r.job.Connector, r.index.Name)
	}
	return r.sendAgain(ctx, &batch)
}

// sendAgain looks the copies up and sends those documents that are to be sent. Before the next ones are
// looked up these have ended, so that of two documents with one id the later one meets the earlier.
func (r *run) sendAgain(ctx context.Context, batch *again) error {
	copies, err := r.copies(ctx, batch)
	if err != nil {
		return err
	}
	for i := range batch.list {
		rejected := &batch.list[i]
		c := plan.Change{Kind: plan.Create, Reason: plan.NotInIndex, ID: rejected.ID, Part: rejected.Part, Source: rejected.Document, At: &plan.Absent}
		if held, ok := copies[rejected.ID]; ok {
			c.At = &plan.At{SeqNo: held.SeqNo, PrimaryTerm: held.PrimaryTerm}
			if c.Kind, c.Reason, err = compareCopy(held.Source, rejected.Document); err != nil {
				return err
			}
		}
		if c.Kind == plan.Keep {
			r.tell(c)
			continue
		}
		if c.Grant, err = r.budget.Acquire(ctx, int64(len(c.Source)+len(c.ID)+overhead)); err != nil {
			return err
		}
		if err := r.sink.Apply(ctx, c); err != nil {
			return err
		}
	}
	batch.list, batch.size = batch.list[:0], 0
	clear(batch.ids)
	return r.sink.Flush(ctx)
}

// copies reads what the index holds of the documents, by id.
func (r *run) copies(ctx context.Context, batch *again) (map[string]elastic.Hit, error) {
	if err := r.deps.Client.Refresh(ctx, r.index.Name); err != nil && !errors.Is(err, elastic.ErrAuth) {
		return nil, err
	}
	var err error
	if r.pit, err = r.deps.Client.OpenPIT(ctx, r.index); err != nil {
		return nil, err
	}
	defer r.closePIT(ctx)
	held := map[string]elastic.Hit{}
	err = r.scanIDs(ctx, slices.Sorted(maps.Keys(batch.ids)), func(h elastic.Hit) error {
		h.Source = bytes.Clone(h.Source)
		held[h.ID] = h
		return nil
	})
	return held, err
}

// compareCopy decides about a document of which the index holds a copy.
func compareCopy(held, rejected json.RawMessage) (plan.Kind, plan.Reason, error) {
	heldAt, known := timestampOf(held)
	rejectedAt, known2 := timestampOf(rejected)
	if !known || !known2 || heldAt.After(rejectedAt) {
		return plan.Keep, plan.NewerInIndex, nil // a copy of which that cannot be told may be newer
	}
	fields, err := differing(held, rejected, func(_ string, a, b json.RawMessage) bool { return sameJSON(a, b) })
	if err != nil {
		return 0, "", fmt.Errorf("compare with the copy in the index: %w", err)
	}
	if len(fields) == 0 {
		return plan.Keep, plan.Unchanged, nil
	}
	return plan.Update, plan.ContentDiffers, nil
}

// timestampOf reads the _timestamp of a document; without an offset it is taken as UTC.
func timestampOf(source []byte) (at time.Time, known bool) {
	text := elastic.StringField(source, "_timestamp")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
