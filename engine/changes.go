package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// An incremental run of a source that can tell its changes goes the way of every run, but that each step
// is about the ids that changed: the scan of the index looks them up, the parts of the source are theirs,
// and only they can be deleted. Where the changes cannot be told it is a full run, and says so.

// follow finds what changed since the index was whole, where that is all that is to be read. Otherwise it
// asks where the history of the source stands, before anything is listed or read.
func (r *run) follow(ctx context.Context, src source.Source) error {
	c, ok := src.(source.Changer)
	if !ok || r.job.Kind != Mirror {
		return nil
	}
	limited, stop := r.limited(ctx)
	defer stop()
	if r.job.Incremental {
		r.phase("looking for changes")
		found, err := r.findChanges(limited, c)
		if err != nil {
			return r.inTime(ctx, err)
		}
		if found {
			return nil
		}
	}
	at, err := c.Position(limited)
	if err != nil {
		return r.inTime(ctx, err)
	}
	r.cursor = at
	return nil
}

// findChanges asks the source what changed after the place that the index has kept. found is false where
// everything has to be read.
func (r *run) findChanges(ctx context.Context, c source.Changer) (found bool, err error) {
	kept := r.index.Marker.Cursor
	why := r.unfollowed()
	if why == "" {
		changes, err := c.Changes(ctx, source.Cursor(kept.At))
		if err == nil {
			r.changes, r.cursor = &changes, changes.Cursor
			for _, scope := range changes.Scopes { // whoever chooses scopes learns of all
				if r.job.Wants != nil {
					r.job.Wants(scope)
				}
			}
			r.noteRejected(kept.Rejected)
			return true, nil
		}
		lost, ok := errors.AsType[*source.LostError](err)
		if !ok {
			return false, err
		}
		why = lost.Why
	}
	r.deps.Log.Warn("this incremental sync reads everything, not only what changed", report.Index, r.index.Name, "because", why)
	return false, nil
}

// unfollowed says why the index has no place from which changes can be followed, or "".
func (r *run) unfollowed() string {
	m := &r.index.Marker
	switch {
	case r.absent:
		return "the index does not exist yet"
	case m.Owner != r.job.Owner || !r.sameIdentity():
		return "the index is not a mirror of this source yet"
	case m.Cursor.At == "":
		return "no sync has yet kept a place in the changes of the source; a complete one does"
	case m.Cursor.Print != r.print:
		return "the rules, the pipeline or the way in which documents are made have changed"
	}
	return ""
}

// noteRejected reports documents that no incremental run sends again by itself. The run that rejected them
// has named them and ended with 3, so it is worth no mail.
func (r *run) noteRejected(n int64) {
	if n > 0 {
		r.deps.Log.Info("documents were rejected since the last full sync, and may be missing: a full sync, or sync --replay FILE, sends them again",
			report.Index, r.index.Name, report.Docs, n)
	}
}

// nothingChanged reports an incremental run that has nothing to do but to move its place.
func (r *run) nothingChanged() bool { return r.changes != nil && len(r.changes.Parts) == 0 }

// lookedUp is how many ids are looked up together.
const lookedUp = 1000

// scanHeld scans what the run is about: all of the point in time, or what changed.
func (r *run) scanHeld(ctx context.Context, pit *elastic.PIT, s elastic.Scan, open func(slice int) func(elastic.Hit) error) error {
	if r.changes == nil {
		return pit.Scan(ctx, s, open)
	}
	s.Slices = 1
	hit := open(0)
	for list := range r.changedIDs() {
		query, err := json.Marshal(map[string]any{"ids": map[string]any{"values": list}})
		if err != nil {
			return fmt.Errorf("look documents up: %w", err)
		}
		s.Query = query
		if err := pit.Scan(ctx, s, func(int) func(elastic.Hit) error { return hit }); err != nil {
			return err
		}
	}
	return nil
}

// changedIDs are the ids under which the changed documents stand in the index, each once, some at a time.
func (r *run) changedIDs() func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for _, part := range r.changes.Parts {
			if r.job.Wants != nil && !r.job.Wants(part.Scope()) {
				continue
			}
			var list []string
			for id := range part.IDs() {
				if id = plan.ID(id); id != "" { // no document has an empty one, and Elasticsearch refuses to look for it
					list = append(list, id)
				}
			}
			slices.Sort(list)
			for some := range slices.Chunk(slices.Compact(list), lookedUp) {
				if !yield(some) {
					return
				}
			}
		}
	}
}

// readChanges reads the documents that changed. What a time limit leaves is found again by the next run.
func (r *run) readChanges(ctx context.Context, src source.Source) error {
	limited, stop := r.limited(ctx)
	defer stop()
	err := r.readListed(limited, src)
	if err == nil {
		return nil
	}
	return r.inTime(ctx, err)
}

// held is how many documents the index holds of what was read: of all that it holds, where only the changes
// were looked at. eligible of them are to be deleted.
func (r *run) held(ctx context.Context, eligible int64) (int64, error) {
	if r.changes == nil {
		return r.scopes.heldOf() + eligible, nil
	}
	return r.deps.Client.Count(ctx, r.index.Name)
}

// keptCursor is the place that the index keeps when the run has ended: the new one if all that lies before
// it was written, or named in the dead-letter file. Deletes that were held back, and parts and content
// that could not be read, are to be found again.
func (r *run) keptCursor(was elastic.Cursor, res *Result) elastic.Cursor {
	if r.cursor == "" || r.job.Kind != Mirror || r.job.Wants != nil || res.Failed > 0 || len(res.Withheld) > 0 || res.Counts.ContentErrors > 0 || res.Late {
		return was
	}
	now := elastic.Cursor{Print: r.print, At: string(r.cursor), Rejected: res.Counts.Rejected}
	if r.changes != nil {
		now.Rejected += was.Rejected
	}
	return now
}
