package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// settleOwner decides who owns the index and what a run may do in it, before anything is written:
//
//	its own           everything
//	no owner, empty   everything
//	no owner          creates and updates; deletes only after --adopt
//	own, but from     creates and updates; deletes only after --adopt
//	another source
//	another owner     nothing, until --adopt
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
		s.deps.Log.Warn("the index mirrors another source: nothing will be deleted; take it over with --adopt",
			report.Index, s.index.Name, "mirrors", m.Identity, "source", s.job.identity())
	case m.Owner != "":
		return fmt.Errorf("index %q %w, %s; this one is %s: nothing was written", s.index.Name, ErrForeign, m.Owner, s.job.Owner)
	default:
		s.deps.Log.Warn("the index has documents and no owner: nothing will be deleted; take it over with --adopt", report.Index, s.index.Name)
	}
	return nil
}

// mark writes the marker of our own index, if it is missing or differs. If this run builds documents differently
// from those in the index, the marker records the point from which it does.
func (s *scanned) mark(ctx context.Context) error {
	was := s.index.Marker
	m := elastic.Marker{Owner: s.job.Owner, Identity: s.job.identity()}
	if same := was.Owner == m.Owner && s.sameIdentity(); same {
		m.Fingerprint, m.Pending, m.From, m.Cursor = was.Fingerprint, was.Pending, was.From, was.Cursor
	}
	if s.buildsDifferently() && m.Pending != s.print {
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
		s.deps.Log.Warn("cannot mark the index: if this run is incomplete, the next one writes its documents again; grant the privilege manage on the index",
			report.Index, s.index.Name, report.Err, err.Error())
		return nil
	}
	return err
}

// buildsDifferently reports whether the run writes documents and some of those in the index may have been built
// differently.
func (p *prepared) buildsDifferently() bool {
	return p.job.Kind != Deletion && p.index.Marker.Fingerprint != p.print
}

// noteSeqNo records the sequence number after the highest one in the index. With several shards it comes from the
// shard with the highest; a document in another shard may then be written again.
func (s *scanned) noteSeqNo(n int64) {
	for {
		next := s.nextSeqNo.Load()
		if n < next || s.nextSeqNo.CompareAndSwap(next, n+1) {
			return
		}
	}
}
