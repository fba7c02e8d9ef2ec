package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/docfile"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/ids"
	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// heldInMemory is how many deletes are kept in memory until the guard decides. If there are more, the point in
// time is scanned again instead, so that memory does not grow with the number of deletes.
const heldInMemory = 20_000

// unseen collects the documents that are no longer in the source.
type unseen struct {
	mu       sync.Mutex
	eligible int64
	deletes  []plan.Change // the first ones
}

// deleting decides about the documents that are no longer in the source.
type deleting struct {
	*scanned

	writing  *writing
	scopes   *scopes
	verifier source.Verifier // nil for a source that needs none
	verified verified
}

// verified are the scopes that the source has verified.
type verified struct {
	mu     sync.Mutex
	scopes map[string]*sync.Once
}

// verify lets the source verify a scope before the first of its documents is deleted. Its failure is that of the
// scope.
func (g *deleting) verify(ctx context.Context, scope string) {
	if g.verifier == nil {
		return
	}
	g.verified.mu.Lock()
	if g.verified.scopes == nil {
		g.verified.scopes = map[string]*sync.Once{}
	}
	once := g.verified.scopes[scope]
	if once == nil {
		once = &sync.Once{}
		g.verified.scopes[scope] = once
	}
	g.verified.mu.Unlock()
	once.Do(func() {
		if err := g.verifier.Verify(ctx, scope); err != nil {
			g.scopes.distrust(scope)
			g.partFailed(scope, scope, err)
		}
	})
}

// deletes finds the documents that this run has not seen, in the point in time from which the id table was built.
// It deletes those whose scope was listed completely.
func (g *deleting) deletes(ctx context.Context) error {
	if g.table.Unseen() == 0 || g.outcome.late != nil && g.scopes.isIncomplete() {
		return nil
	}
	if g.job.NoDelete {
		g.spare()
		return nil
	}
	overall := g.holdBackAll()
	if g.view.isLost() || g.stale != nil {
		g.holdBackUnnamed(overall)
		return nil
	}
	var found unseen
	err := g.eachUnseen(ctx, unseenPass{overall: overall, holdBack: true}, func(c plan.Change) error {
		found.mu.Lock()
		defer found.mu.Unlock()
		found.eligible++
		if len(found.deletes) < heldInMemory {
			found.deletes = append(found.deletes, c)
		}
		return nil
	})
	if errors.Is(err, elastic.ErrPITLost) {
		g.holdBackUnnamed(plan.PointInTimeLost)
		return nil
	}
	if err != nil || found.eligible == 0 {
		return err
	}
	held, err := g.held(ctx, found.eligible)
	if err != nil {
		return err
	}
	g.outcome.note(func(res *Result) { res.Eligible, res.Judged = found.eligible, held })
	do := func(c plan.Change) error { return g.delete(ctx, c) }
	refused := plan.Reason("")
	switch {
	case g.incremental() && found.eligible >= held && !g.job.AllowEmpty:
		refused = plan.EmptySource // the index would be empty
	case !g.guardAllows(found.eligible, held):
		refused = plan.GuardRefused
	}
	if refused != "" {
		do = func(c plan.Change) error {
			g.holdBack(refused, c)
			return nil
		}
	}
	keep := refused == "" && g.deps.Deleted != nil && !g.job.DryRun
	if found.eligible > int64(len(found.deletes)) || keep {
		found.deletes = nil
		return g.eachUnseen(ctx, unseenPass{overall: overall, complete: keep}, do)
	}
	for _, c := range found.deletes {
		if err := do(c); err != nil {
			return err
		}
	}
	return nil
}

// spare records the documents that a run without deletes leaves in the index.
func (g *deleting) spare() {
	complete := g.job.Wants == nil && g.outcome.late == nil && !g.scopes.isIncomplete()
	g.outcome.note(func(res *Result) {
		res.Spared = int64(g.table.Unseen())
		res.SparedGone = complete && res.Failed == 0
	})
}

// holdBackAll says why all deletes are held back, or "".
func (g *deleting) holdBackAll() plan.Reason {
	switch {
	case g.view.isLost():
		return plan.PointInTimeLost
	case g.stale != nil:
		return plan.RefreshRefused
	case !g.owned:
		return plan.ForeignIndex
	case g.deps.Counters.Read.Load() == 0 && !g.job.AllowEmpty && !g.incremental():
		return plan.EmptySource
	}
	return ""
}

// holdBackUnnamed holds back all deletes without looking for their ids, for runs that cannot look for them.
func (g *deleting) holdBackUnnamed(reason plan.Reason) {
	if g.outcome.late != nil {
		return // some of these documents may only be unread, so there is no number; the warning says that nothing was deleted
	}
	rest := g.outcome.holdBackRest(reason, int64(g.table.Unseen()))
	g.deps.Counters.Withheld.Add(rest)
}

// held is how many documents the index holds of what was read; for an incremental run, how many it holds in total.
// eligible of them are to be deleted.
func (g *deleting) held(ctx context.Context, eligible int64) (int64, error) {
	if !g.incremental() {
		return g.scopes.heldOf() + eligible, nil
	}
	return g.deps.Client.Count(ctx, g.index.Name)
}

// guardAllows is the delete guard. held is how many documents the index holds in the scopes that were read
// completely.
func (g *deleting) guardAllows(eligible, held int64) bool {
	switch {
	case g.job.Plan != nil:
		return true // the plan bounds the deletes
	case g.job.Guard.Confirmed < 0 && g.job.AllowEmpty && g.deps.Counters.Read.Load() == 0:
		return true // at most the confirmed number
	}
	return g.job.Guard.allows(eligible, held)
}

// unseenPass is one pass over the unseen documents.
type unseenPass struct {
	overall  plan.Reason // why nothing is deleted, or ""
	holdBack bool        // report the deletes that are not eligible as held back, which is done once
	complete bool        // read complete documents, to save them before they are deleted
}

// eachUnseen scans for unseen documents and calls eligible for each document to delete, from one or several
// goroutines.
func (g *deleting) eachUnseen(ctx context.Context, pass unseenPass, eligible func(plan.Change) error) error {
	fields := g.job.Type.ScopeFields
	scan := elastic.Scan{Source: json.RawMessage("false"), SeqNo: true, Retry: g.deps.Retry}
	switch {
	case pass.complete && !g.index.SourceDisabled:
		scan.Source = g.fullSource()
	case len(fields) > 0 && !g.index.SourceDisabled:
		scan.Source, _ = json.Marshal(fields)
	}
	return g.scanHeld(ctx, g.view, scan, func(int) func(elastic.Hit) error {
		return func(h elastic.Hit) error {
			state, err := g.table.State(ids.KeyOf(h.ID))
			if err != nil || state != ids.Unseen && state != ids.Excluded {
				return err
			}
			scope, title, known := g.job.scopeOf(h)
			if g.job.Wants != nil && (!known || !g.job.Wants(scope)) {
				return nil
			}
			if g.scopes.isLeft(scope, known) {
				return nil // it may still exist in the source
			}
			reason, verdict := plan.GoneFromSource, pass.overall
			if state == ids.Excluded {
				reason = plan.ExcludedByRule
			} else if verdict == "" || verdict == plan.EmptySource {
				// In an empty source, a vanished scope is as empty as the others.
				own := g.scopes.verdict(scope, known)
				if own == "" && known {
					g.verify(ctx, scope)
					own = g.scopes.verdict(scope, known)
				}
				if own != "" && (own != plan.ScopeVanished || verdict == "" || g.scopes.isHidden(scope)) {
					verdict = own
				}
			}
			if verdict == plan.ScopeVanished {
				switch again := g.absences.again(scope, g.scopes); {
				case again:
					reason, verdict = plan.VanishedTwice, ""
				case g.job.Guard.Confirmed >= 0:
					verdict = ""
				}
			}
			if verdict == plan.ScopeUnknown && g.job.Guard.Confirmed >= 0 {
				verdict = ""
			}
			c := plan.Change{
				Kind: plan.Delete, Reason: reason, ID: h.ID, Title: title, Part: scope, Scope: scope, Routing: h.Routing,
				At: &plan.At{SeqNo: h.SeqNo, PrimaryTerm: h.PrimaryTerm},
			}
			if verdict == "" {
				if pass.complete {
					c.Source = h.Source
				}
				return eligible(c)
			}
			if pass.holdBack {
				g.holdBack(verdict, c)
			}
			return nil
		}
	})
}

// delete deletes a document. If the complete document was read, it is saved first.
func (g *deleting) delete(ctx context.Context, c plan.Change) error {
	planned, err := g.approves(&c)
	if err != nil || !planned {
		return err
	}
	if c.Source != nil {
		err = g.deps.Deleted.Put(docfile.Deletion{
			Schema: 1, Time: g.deps.Now().UTC(), Connector: g.job.Connector, Index: g.index.Name, ID: c.ID, Part: c.Part,
			Reason: string(c.Reason), Routing: c.Routing, Document: c.Source,
		})
		if err != nil {
			return err
		}
		c.Source = nil
	}
	if c.Grant, err = g.writing.budget.Acquire(ctx, int64(len(c.ID)+overhead)); err != nil {
		return fmt.Errorf("delete %q: %w", c.ID, err)
	}
	return g.writing.sink.Apply(ctx, c)
}
