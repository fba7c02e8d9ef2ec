package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// run does the job, step by step.
func (t *task) run(ctx context.Context) (err error) {
	connecting, stop := t.limited(ctx)
	defer stop()
	src, err := t.open(connecting)
	if err != nil {
		return t.inTime(ctx, err)
	}
	defer func() {
		if cerr := src.Close(); cerr != nil {
			t.deps.Log.Warn("cannot close the source", report.Err, cerr.Error())
		}
	}()
	t.phase("reaching the source")
	if err := src.Validate(connecting); err != nil {
		return t.inTime(ctx, err)
	}
	if err := src.Ping(connecting); err != nil {
		return t.inTime(ctx, err)
	}
	p, unlock, err := t.prepare(ctx, src)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := p.scan(ctx)
	defer func() {
		if s.table != nil {
			t.closeIDs(s.table)
		}
	}()
	if err != nil {
		return err
	}
	defer s.view.close(ctx)
	err = s.mirror(ctx, src)
	if errors.Is(err, elastic.ErrNotFound) { // the index existed when the run began
		return s.replaced()
	}
	return err
}

// open opens the source, or the source of its identities.
func (t *task) open(ctx context.Context) (source.Source, error) {
	src, err := t.job.Type.Open(ctx, t.job.Values, source.Env{
		Log: t.deps.Log, IDColumns: t.job.IDColumns, StallTimeout: t.deps.StallTimeout, Own: t.deps.Own,
		Profile: t.job.Profile, Encoding: t.job.Encoding, AdvancedRules: t.job.Advanced,
		IDsOnly: t.job.Kind == Deletion && len(t.job.Rules) == 0,
	})
	if err != nil {
		return nil, fmt.Errorf("open the source: %w", err)
	}
	if t.job.Kind != AccessControl {
		return src, nil
	}
	return identitiesOf(src, t.job.Type.Name)
}

// mirror reads the source, writes what differs, and deletes documents no longer in the source.
func (s *scanned) mirror(ctx context.Context, src source.Source) error {
	x := &extraction{task: s.task, way: s.way, why: s.why}
	err := s.through(ctx, s, func(ctx context.Context, w *writing) error {
		s.phase(report.Reading)
		r := newReading(s, w, x)
		err := r.read(ctx, src)
		if n := r.scopes.silent(); err == nil && n > 0 {
			s.partFailed("", "", fmt.Errorf("%d parts of the source ended without confirming that they were read completely: nothing is deleted", n))
		}
		if err == nil {
			err = r.closer.flush(ctx)
		}
		if err == nil && s.outcome.temporary == nil {
			s.phase("looking for deleted documents")
			g := &deleting{scanned: s, writing: w, scopes: &r.scopes}
			g.verifier, _ = src.(source.Verifier)
			if err = g.deletes(ctx); err == nil {
				s.absences.keep()
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if !s.job.DryRun {
		err = s.conclude(ctx, x)
	}
	switch {
	case s.outcome.temporary != nil:
		return s.outcome.temporary
	case err == nil:
		return s.outcome.late
	}
	return err
}

// conclude makes the writes visible and, after a complete run, records in the index how its documents were built.
func (s *scanned) conclude(ctx context.Context, x *extraction) error {
	c := s.deps.Client
	var unseen error // why written documents may not be searchable yet
	if !s.nothingChanged() || s.job.WaitRefresh {
		var err error
		if unseen, err = s.refresh(ctx); err != nil {
			return err
		}
	}
	now, err := c.Index(ctx, s.index.Name)
	if err != nil {
		return err
	}
	if now.UUID != s.index.UUID {
		return s.replaced()
	}
	if s.job.Kind != AccessControl {
		s.countIgnored(ctx, now)
	}
	x.sayTexts()
	if !s.nothingChanged() {
		x.sayIngestionErrors(ctx, s.index.Name)
	}
	if err := s.keepMarker(ctx, now); err != nil {
		return err
	}
	return unseen
}

// keepMarker records in the index how its documents were built, after a complete run, and its position in the
// changes of the source.
func (s *scanned) keepMarker(ctx context.Context, now *elastic.Index) error {
	res := s.result()
	if s.job.Kind == Deletion || s.job.Wants != nil || res.Late {
		return nil
	}
	if !s.owned && (now.Marker.Owner != "" || res.undeleted()) {
		return nil // an index without an owner becomes ours only if nothing was left to delete
	}
	if res.Withheld[plan.NotInPlan]+res.Withheld[plan.MovedSincePlan] > 0 {
		return nil // not all documents were built as this run builds them
	}
	m := now.Marker
	if !res.Incomplete() && !s.incremental() && m.Fingerprint != s.print {
		m = elastic.Marker{Owner: s.job.Owner, Identity: s.job.identity(), Fingerprint: s.print}
	}
	if m.Owner == s.job.Owner {
		m.Cursor = s.keptCursor(now.Marker.Cursor, &res)
	}
	if m == now.Marker {
		return nil
	}
	if err := s.ours(ctx); err != nil {
		return err
	}
	taken := now.Marker.Owner != s.job.Owner
	if err := s.deps.Client.SetMarker(ctx, now, m); err != nil {
		s.deps.Log.Warn("cannot mark the index: the next run compares or reads more than necessary", slog.String(report.Err, err.Error()))
		return nil
	}
	s.outcome.note(func(res *Result) { res.Cursor = source.Cursor(m.Cursor.At) })
	if taken {
		(&shaping{s.destination, s.described.fields}).extend(ctx, now)
	}
	return nil
}
