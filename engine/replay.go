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
)

// Replay sends documents of a dead-letter file again, without reading the source, and deletes nothing. It skips a
// document if the index holds a newer copy of it, or the same; it leaves a document alone if another process
// writes it during the replay. Rejected deletes are not repeated: the next sync decides again.
func Replay(ctx context.Context, job Job, deps Deps, file string) (Result, error) {
	t := newTask(job, deps, nil)
	err := guarded(func() error { return t.replay(ctx, file) })
	return t.result(), err
}

func (t *task) replay(ctx context.Context, file string) error {
	d, unlock, err := t.lock(ctx, t.reach)
	if errors.Is(err, elastic.ErrNotFound) {
		return fmt.Errorf("%w: index %q does not exist: create it by sync without --replay", ErrConfig, t.job.Index)
	}
	if err != nil {
		return err
	}
	defer unlock()
	t.phase("sending rejected documents again")
	err = d.through(ctx, nil, func(reading context.Context, w *writing) error {
		return (&replaying{destination: d, writing: w, ids: map[string]bool{}}).replay(reading, file)
	})
	if err != nil {
		return err
	}
	unseen, err := d.refresh(ctx)
	if err != nil {
		return err
	}
	return unseen
}

// replaying is rejected documents that are sent again; they are looked up in the index in batches.
type replaying struct {
	*destination

	writing *writing
	list    []docfile.Rejection
	ids     map[string]bool
	size    int
}

// isOurs reports whether a document was rejected by the index of the job, or by one that a rebuild has replaced.
func (r *replaying) isOurs(index string) bool {
	return index == r.index.Name || index == r.job.Index || elastic.IsRebuilt(index, r.job.Index)
}

// replay sends the file's documents of this connector and index, in batches.
func (r *replaying) replay(ctx context.Context, file string) error {
	ours, passed := false, int64(0)
	defer func() { r.outcome.note(func(res *Result) { res.Passed = passed }) }()
	for rejected, err := range docfile.Rejections(file) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("%w: --replay: %w", ErrConfig, err)
		}
		if rejected.Connector != r.job.Connector || !r.isOurs(rejected.Index) || rejected.Kind == plan.Delete.String() {
			passed++
			continue
		}
		ours = true
		r.deps.Counters.Read.Add(1)
		if r.ids[rejected.ID] || len(r.list) >= maxPending || r.size >= maxPendingBytes {
			if err := r.sendAgain(ctx); err != nil {
				return err
			}
		}
		r.list = append(r.list, rejected)
		r.ids[rejected.ID] = true
		r.size += len(rejected.Document)
	}
	if !ours {
		return fmt.Errorf("%w: %s holds no document of connector %q for index %q", ErrConfig, file, r.job.Connector, r.index.Name)
	}
	return r.sendAgain(ctx)
}

// sendAgain looks up the copies and sends the documents that need it. It waits for their outcome before the next
// lookup, so that the later of two documents with one id sees the earlier.
func (r *replaying) sendAgain(ctx context.Context) error {
	copies, err := r.copies(ctx)
	if err != nil {
		return err
	}
	for i := range r.list {
		rejected := &r.list[i]
		c := plan.Change{Kind: plan.Create, Reason: plan.NotInIndex, ID: rejected.ID, Part: rejected.Part, Scope: rejected.Part, Source: rejected.Document, At: &plan.Absent}
		if held, ok := copies[rejected.ID]; ok {
			c.At = &plan.At{SeqNo: held.SeqNo, PrimaryTerm: held.PrimaryTerm}
			if c.Kind, c.Reason, err = compareCopy(held.Source, rejected.Document); err != nil {
				return err
			}
		}
		if c.Kind == plan.Keep {
			r.settled(c)
			continue
		}
		if c.Grant, err = r.writing.budget.Acquire(ctx, int64(len(c.Source)+len(c.ID)+overhead)); err != nil {
			return err
		}
		if err := r.writing.sink.Apply(ctx, c); err != nil {
			return err
		}
	}
	r.list, r.size = r.list[:0], 0
	clear(r.ids)
	return r.writing.sink.Flush(ctx)
}

// copies reads the index's copies of the documents, by id.
func (r *replaying) copies(ctx context.Context) (map[string]elastic.Hit, error) {
	if err := r.deps.Client.Refresh(ctx, r.index.Name); err != nil && !errors.Is(err, elastic.ErrAuth) {
		return nil, err
	}
	v, err := r.openView(ctx)
	if err != nil {
		return nil, err
	}
	defer v.close(ctx)
	held := map[string]elastic.Hit{}
	err = v.scanIDs(ctx, slices.Sorted(maps.Keys(r.ids)), func(h elastic.Hit) error {
		h.Source = bytes.Clone(h.Source)
		held[h.ID] = h
		return nil
	})
	return held, err
}

// compareCopy decides about a document with a copy in the index.
func compareCopy(held, rejected json.RawMessage) (plan.Kind, plan.Reason, error) {
	heldAt, known := timestampOf(held)
	rejectedAt, known2 := timestampOf(rejected)
	if !known || !known2 || heldAt.After(rejectedAt) {
		return plan.Keep, plan.NewerInIndex, nil // a copy without a readable time may be newer
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

// timestampOf reads the _timestamp of a document; without an offset it is read as UTC.
func timestampOf(source []byte) (at time.Time, known bool) {
	text := elastic.StringField(source, "_timestamp")
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
