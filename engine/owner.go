package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// identity is what is mirrored: the identifying fields of the configuration, as text.
func (r *run) identity() string {
	if r.job.Type.IdentityFields == nil {
		return ""
	}
	var pairs []string
	for _, name := range r.job.Type.IdentityFields(r.job.Values) {
		pairs = append(pairs, fmt.Sprintf("%s=%s", name, r.job.Values.Shown(name)))
	}
	return strings.Join(pairs, ", ")
}

// sameIdentity reports whether the index mirrors what the job mirrors, as far as that is known.
func (r *run) sameIdentity() bool {
	held := r.index.Marker.Identity
	return held == "" || held == r.identity()
}

// settleOwner decides whose the index is, and what may be done in it, before anything is written:
//
//	its own           everything
//	no owner, empty   everything
//	no owner          creates and updates; deletes only once it is adopted
//	own, but of       creates and updates; deletes only once it is adopted
//	another source
//	another owner     nothing, until it is adopted
//
// An index that is empty at the moment keeps its owner.
func (r *run) settleOwner(ctx context.Context) error {
	m := r.index.Marker
	mine := m.Owner == r.job.Owner
	switch {
	case mine && r.sameIdentity(), r.job.Adopt, m.Owner == "" && (r.table.Len() == 0 || r.job.AdoptUnowned):
		r.owned = true
		return r.mark(ctx)
	case mine:
		r.deps.Log.Warn("the index mirrors another source: nothing will be deleted; --adopt takes it over",
			report.Index, r.index.Name, "mirrors", m.Identity, "source", r.identity())
	case m.Owner != "":
		return fmt.Errorf("index %q %w, %s, and this one is %s: nothing was written", r.index.Name, ErrForeign, m.Owner, r.job.Owner)
	default:
		r.deps.Log.Warn("the index has documents and no owner: nothing will be deleted; --adopt takes it over", report.Index, r.index.Name)
	}
	return nil
}

// mark writes the marker of an index that is ours, where it does not say so yet. Where documents are
// going to be made otherwise than those that are there, it keeps since when.
func (r *run) mark(ctx context.Context) error {
	was := r.index.Marker
	m := elastic.Marker{Owner: r.job.Owner, Identity: r.identity()}
	if same := was.Owner == m.Owner && r.sameIdentity(); same {
		m.Fingerprint, m.Pending, m.From, m.Cursor = was.Fingerprint, was.Pending, was.From, was.Cursor
	}
	if r.makesOtherwise() && m.Pending != r.print {
		m.Fingerprint, m.Pending, m.From, m.Cursor = "", r.print, r.nextSeqNo.Load(), elastic.Cursor{}
	}
	if m == was || r.job.DryRun {
		return nil
	}
	if err := r.ours(ctx); err != nil {
		return err
	}
	err := r.deps.Client.SetMarker(ctx, r.index, m)
	if errors.Is(err, elastic.ErrAuth) && was.Owner == m.Owner {
		r.deps.Log.Warn("the index could not be marked: what this run writes is written again if it is not complete; grant the privilege manage on the index",
			report.Index, r.index.Name, report.Err, err.Error())
		return nil
	}
	return err
}

// makesOtherwise reports whether the run writes documents and not all of those in the index are known to
// be made as it makes them.
func (r *run) makesOtherwise() bool {
	return r.job.Kind != Deletion && r.index.Marker.Fingerprint != r.print
}

// noteSeqNo remembers the sequence number after the highest that the index holds. With several shards it
// is that of the furthest one: a document of another that is written later may then be written again.
func (r *run) noteSeqNo(n int64) {
	for {
		next := r.nextSeqNo.Load()
		if n < next || r.nextSeqNo.CompareAndSwap(next, n+1) {
			return
		}
	}
}

// indexCheck is how often a run makes sure that its index is still there: a bulk request to one that was
// deleted would create it again, without mapping and owner.
const indexCheck = 2 * time.Second

// ours is asked before anything is written. Its error, that the run is no longer wanted, ends the run.
func (r *run) ours(ctx context.Context) error {
	if r.deps.Fence == nil {
		return nil
	}
	return r.deps.Fence(ctx)
}

// mayWrite is asked before each bulk request. Its error ends the run.
func (r *run) mayWrite(ctx context.Context) error {
	if err := r.ours(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	now := r.deps.Now()
	due := now.Sub(r.checked) >= indexCheck
	if due {
		r.checked = now
	}
	r.mu.Unlock()
	if !due {
		return nil
	}
	ix, err := r.deps.Client.Index(ctx, r.index.Name)
	switch {
	case errors.Is(err, elastic.ErrNotFound), err == nil && ix.UUID != r.index.UUID:
		return fmt.Errorf("index %q: %w: run again", r.index.Name, ErrReplaced)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return nil // a destination that does not answer is found out by the request itself
}
