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

// An incremental run of a source that can tell its changes goes the way of every run, but that each step
// is about the ids that changed: the scan of the index looks them up, the parts of the source are theirs,
// and only they can be deleted. Where the changes cannot be told it is a full run, and says so.

// following is what is read instead of everything, and the place in the history of the source that the index keeps
// once the run has ended well.
type following struct {
	changes *source.Changes // nil where everything is read
	cursor  source.Cursor
}

// history is the changes of a source, as a run with this fingerprint may follow them.
type history struct {
	*destination

	fingerprint string
}

// follow finds what changed since the index was whole, where that is all that is to be read. Otherwise it
// asks where the history of the source stands, before anything is listed or read.
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

// find asks the source what changed after the place that the index has kept. It follows nothing where
// everything has to be read.
func (h *history) find(ctx context.Context, c source.Changer) (f following, err error) {
	kept := h.index.Marker.Cursor
	why := h.unfollowed()
	if why == "" {
		changes, err := c.Changes(ctx, source.Cursor(kept.At))
		if err == nil {
			f.changes, f.cursor = &changes, changes.Cursor
			h.outcome.note(func(res *Result) { res.Incremental = true })
			for _, scope := range changes.Scopes { // whoever chooses scopes learns of all
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

// unfollowed says why the index has no place from which changes can be followed, or "".
func (h *history) unfollowed() string {
	m := &h.index.Marker
	switch {
	case h.absent:
		return "the index does not exist yet"
	case m.Owner != h.job.Owner || !h.sameIdentity():
		return "the index is not a mirror of this source yet"
	case m.Cursor.At == "":
		return "no sync has yet kept a place in the changes of the source; a complete one does"
	case m.Cursor.Print != h.fingerprint:
		return "the rules, the pipeline or the way in which documents are made have changed"
	}
	return ""
}

// noteRejected reports documents that no incremental run sends again by itself. The run that rejected them
// has named them and ended with 3, so it is worth no mail.
func (h *history) noteRejected(n int64) {
	if n > 0 {
		h.deps.Log.Info("documents were rejected since the last full sync, and may be missing: a full sync, or sync --replay FILE, sends them again",
			report.Index, h.index.Name, report.Docs, n)
	}
}

// nothingChanged reports an incremental run that has nothing to do but to move its place.
func (f *following) nothingChanged() bool { return f.changes != nil && len(f.changes.Parts) == 0 }

// incremental reports that only what changed is read.
func (f *following) incremental() bool { return f.changes != nil }

// lookedUp is how many ids are looked up together.
const lookedUp = 1000

// changedIDs are the ids under which the changed documents of the scopes that are wanted stand in the index, each
// once, some at a time.
func (f *following) changedIDs(wants func(scope string) bool) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for _, part := range f.changes.Parts {
			if wants != nil && !wants(part.Scope()) {
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

// keptCursor is the place that the index keeps when the run has ended: the new one if all that lies before
// it was written, or named in the dead-letter file. Deletes that were held back, and parts and content
// that could not be read, are to be found again.
func (p *prepared) keptCursor(was elastic.Cursor, res *Result) elastic.Cursor {
	if p.cursor == "" || p.job.Kind != Mirror || p.job.Wants != nil || res.Failed > 0 || len(res.Withheld) > 0 || res.Counts.ContentErrors > 0 || res.Late {
		return was
	}
	now := elastic.Cursor{Print: p.print, At: string(p.cursor), Rejected: res.Counts.Rejected}
	if p.changes != nil {
		now.Rejected += was.Rejected
	}
	return now
}
