package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

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
func (s *scanned) settleOwner(ctx context.Context) error {
	m := s.index.Marker
	mine := m.Owner == s.job.Owner
	switch {
	case mine && s.sameIdentity(), s.job.Adopt, m.Owner == "" && (s.table.Len() == 0 || s.job.AdoptUnowned):
		s.owned = true
		return s.mark(ctx)
	case mine:
		s.deps.Log.Warn("the index mirrors another source: nothing will be deleted; --adopt takes it over",
			report.Index, s.index.Name, "mirrors", m.Identity, "source", s.job.identity())
	case m.Owner != "":
		return fmt.Errorf("index %q %w, %s, and this one is %s: nothing was written", s.index.Name, ErrForeign, m.Owner, s.job.Owner)
	default:
		s.deps.Log.Warn("the index has documents and no owner: nothing will be deleted; --adopt takes it over", report.Index, s.index.Name)
	}
	return nil
}

// mark writes the marker of an index that is ours, where it does not say so yet. Where documents are
// going to be made otherwise than those that are there, it keeps since when.
func (s *scanned) mark(ctx context.Context) error {
	was := s.index.Marker
	m := elastic.Marker{Owner: s.job.Owner, Identity: s.job.identity()}
	if same := was.Owner == m.Owner && s.sameIdentity(); same {
		m.Fingerprint, m.Pending, m.From, m.Cursor = was.Fingerprint, was.Pending, was.From, was.Cursor
	}
	if s.makesOtherwise() && m.Pending != s.print {
		m.Fingerprint, m.Pending, m.From, m.Cursor = "", s.print, s.nextSeqNo.Load(), elastic.Cursor{}
	}
	if m == was || s.job.DryRun {
		return nil
	}
	if err := s.ours(ctx); err != nil {
		return err
	}
	err := s.deps.Client.SetMarker(ctx, s.index, m)
	if errors.Is(err, elastic.ErrAuth) && was.Owner == m.Owner {
		s.deps.Log.Warn("the index could not be marked: what this run writes is written again if it is not complete; grant the privilege manage on the index",
			report.Index, s.index.Name, report.Err, err.Error())
		return nil
	}
	return err
}

// makesOtherwise reports whether the run writes documents and not all of those in the index are known to
// be made as it makes them.
func (p *prepared) makesOtherwise() bool {
	return p.job.Kind != Deletion && p.index.Marker.Fingerprint != p.print
}

// noteSeqNo remembers the sequence number after the highest that the index holds. With several shards it
// is that of the furthest one: a document of another that is written later may then be written again.
func (s *scanned) noteSeqNo(n int64) {
	for {
		next := s.nextSeqNo.Load()
		if n < next || s.nextSeqNo.CompareAndSwap(next, n+1) {
			return
		}
	}
}
