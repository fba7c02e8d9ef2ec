package engine

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// An incremental run of a source that reports its changes takes the same steps as every run, but each step covers
// only the changed ids: the scan looks them up in the index, the source is asked only for their parts, and only
// they can be deleted. If the source cannot report the changes, the run becomes a full one and logs why.

// following is the changes that are read instead of everything, and the position in the history of the source that
// the index stores once the run has succeeded.
type following struct {
	changes *source.Changes // nil if everything is read
	cursor  source.Cursor
}

// history is the change history of a source, for a run with this fingerprint.
type history struct {
	*destination

	fingerprint string
}

// follow finds what changed since the last complete run, if the run is incremental. Otherwise it asks for the
// current position in the history of the source before anything is listed or read.
func (h *history) follow(ctx context.Context, src source.Source) (f following, err error) {
	c, ok := src.(source.Changer)
	if !ok || h.job.Kind != Mirror {
		return f, nil
	}
	limited, stop := h.limited(ctx)
	defer stop()
	if h.job.Incremental {
		h.phase("looking for changes")
		f, err = h.find(limited, c)
		if err != nil {
			return f, h.inTime(ctx, err)
		}
		if f.incremental() {
			return f, nil
		}
	}
	if f.cursor, err = c.Position(limited); err != nil {
		return f, h.inTime(ctx, err)
	}
	return f, nil
}

// find asks the source for the changes after the position stored in the index. It follows nothing if everything
// has to be read.
func (h *history) find(ctx context.Context, c source.Changer) (f following, err error) {
	kept := h.index.Marker.Cursor
	why := h.unfollowed()
	if why == "" {
		changes, err := c.Changes(ctx, source.Cursor(kept.At))
		if err == nil {
			f.changes, f.cursor = &changes, changes.Cursor
			h.outcome.note(func(res *Result) { res.Incremental = true })
			for _, scope := range changes.Scopes { // Wants must see every scope, also one without changes
				if h.job.Wants != nil {
					h.job.Wants(scope)
				}
			}
			h.noteRejected(kept.Rejected)
			return f, nil
		}
		lost, ok := errors.AsType[*source.LostError](err)
		if !ok {
			return f, err
		}
		why = lost.Why
	}
	h.deps.Log.Warn("this incremental sync reads everything, not only what changed", report.Index, h.index.Name, "because", why)
	return f, nil
}

// unfollowed says why the index has no position from which changes can be followed, or "".
func (h *history) unfollowed() string {
	m := &h.index.Marker
	switch {
	case h.absent:
		return "the index does not exist yet"
	case m.Owner != h.job.Owner || !h.sameIdentity():
		return "the index is not a mirror of this source yet"
	case m.Cursor.At == "":
		return "no sync has stored a position in the changes of the source yet; a complete sync stores one"
	case m.Cursor.Print != h.fingerprint:
		return "the rules, the pipeline or the way documents are built have changed"
	}
	return ""
}

// noteRejected reports documents that no incremental run sends again by itself. The run that rejected them named
// them and exited with 3, so this is logged as information only.
func (h *history) noteRejected(n int64) {
	if n > 0 {
		h.deps.Log.Info("documents were rejected since the last full sync, and may be missing: a full sync, or sync --replay FILE, sends them again",
			report.Index, h.index.Name, report.Docs, n)
	}
}

// nothingChanged reports an incremental run that only has to store its new position.
func (f *following) nothingChanged() bool { return f.changes != nil && len(f.changes.Parts) == 0 }

// incremental reports that only changes are read.
func (f *following) incremental() bool { return f.changes != nil }

// lookedUp is how many ids one request looks up.
const lookedUp = 1000

// changedIDs yields the ids of the changed documents in the wanted scopes, as they are in the index: each id once,
// in batches.
func (f *following) changedIDs(wants func(scope string) bool) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for _, part := range f.changes.Parts {
			if wants != nil && !wants(part.Scope()) {
				continue
			}
			var list []string
			for id := range part.IDs() {
				if id = plan.ID(id); id != "" { // no document has an empty id, and Elasticsearch rejects a lookup of one
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

// keptCursor is the position that the index stores at the end of the run. It is the new one if every change before
// it was written or named in the dead-letter file. Otherwise the old one stays, so that the next run finds deletes
// that were held back or not wanted, and parts and content that could not be read.
func (p *prepared) keptCursor(was elastic.Cursor, res *Result) elastic.Cursor {
	if p.cursor == "" || p.job.Kind != Mirror || p.job.Wants != nil || res.Failed > 0 || res.undeleted() || res.Counts.ContentErrors > 0 || res.Late {
		return was
	}
	now := elastic.Cursor{Print: p.print, At: string(p.cursor), Rejected: res.Counts.Rejected}
	if p.changes != nil {
		now.Rejected += was.Rejected
	}
	return now
}
