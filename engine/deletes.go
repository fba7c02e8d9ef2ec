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
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// heldInMemory is how many deletes are kept while the guard has not judged yet. Where there are more,
// the point in time is scanned once more instead, so that memory does not grow with them.
const heldInMemory = 20_000

// gone is the collection of what the source no longer holds.
type gone struct {
	mu       sync.Mutex
	eligible int64
	deletes  []plan.Change // the first ones
}

// deletes finds the documents that this run has not seen, in the point in time that the id table was
// made of, and deletes those whose scope was listed to its end.
func (r *run) deletes(ctx context.Context) error {
	if r.table.Unseen() == 0 || r.late != nil && r.scopes.isIncomplete() {
		return nil
	}
	overall := r.withholdAll()
	if r.pitLost.Load() || r.stale != nil {
		r.withholdUnnamed(overall)
		return nil
	}
	var found gone
	err := r.eachGone(ctx, gonePass{overall: overall, tell: true}, func(c plan.Change) error {
		found.mu.Lock()
		defer found.mu.Unlock()
		found.eligible++
		if len(found.deletes) < heldInMemory {
			found.deletes = append(found.deletes, c)
		}
		return nil
	})
	if errors.Is(err, elastic.ErrPITLost) {
		r.withholdUnnamed(plan.PointInTimeLost)
		return nil
	}
	if err != nil || found.eligible == 0 {
		return err
	}
	held, err := r.held(ctx, found.eligible)
	if err != nil {
		return err
	}
	r.eligible, r.judged = found.eligible, held
	do := func(c plan.Change) error { return r.delete(ctx, c) }
	refused := plan.Reason("")
	switch {
	case r.changes != nil && found.eligible >= held && !r.job.AllowEmpty:
		refused = plan.EmptySource // nothing would be left
	case !r.guardAllows(found.eligible, held):
		refused = plan.GuardRefused
	}
	if refused != "" {
		do = func(c plan.Change) error {
			r.withhold(refused, c)
			return nil
		}
	}
	keep := refused == "" && r.deps.Deleted != nil && !r.job.DryRun
	if found.eligible > int64(len(found.deletes)) || keep {
		found.deletes = nil
		return r.eachGone(ctx, gonePass{overall: overall, whole: keep}, do)
	}
	for _, c := range found.deletes {
		if err := do(c); err != nil {
			return err
		}
	}
	return nil
}

// withholdAll says why no document at all is deleted, or "".
func (r *run) withholdAll() plan.Reason {
	switch {
	case r.pitLost.Load():
		return plan.PointInTimeLost
	case r.stale != nil:
		return plan.RefreshRefused
	case !r.owned:
		return plan.ForeignIndex
	case r.deps.Counters.Read.Load() == 0 && !r.job.AllowEmpty && r.changes == nil:
		return plan.EmptySource
	}
	return ""
}

// withholdUnnamed withholds all deletes without looking for their ids, where that cannot be done.
func (r *run) withholdUnnamed(reason plan.Reason) {
	if r.late != nil {
		return // which of them were only not read cannot be told; the warning says that nothing was deleted
	}
	n := int64(r.table.Unseen())
	r.mu.Lock()
	already := int64(0)
	for _, count := range r.withheld {
		already += count
	}
	if n > already {
		r.withheld[reason] += n - already
		r.deps.Counters.Withheld.Add(n - already)
	}
	r.mu.Unlock()
}

// guardAllows is the delete guard. held is how many documents the index held of the scopes that were read
// to their end.
func (r *run) guardAllows(eligible, held int64) bool {
	g := r.job.Guard
	switch {
	case g.Confirmed >= 0:
		return eligible <= g.Confirmed
	case r.job.AllowEmpty && r.deps.Counters.Read.Load() == 0:
		return true // this is what was allowed
	}
	return eligible <= g.Deletes || float64(eligible) <= g.Percent/100*float64(held)
}

// gonePass is one pass over what was not seen.
type gonePass struct {
	overall plan.Reason // why no document is deleted, or ""
	tell    bool        // withhold what is not eligible, which is done once
	whole   bool        // with whole documents, which are kept before they are deleted
}

// eachGone scans for what was not seen and calls eligible for each document to delete, from one or
// several goroutines.
func (r *run) eachGone(ctx context.Context, pass gonePass, eligible func(plan.Change) error) error {
	fields := r.job.Type.ScopeFields
	scan := elastic.Scan{Source: json.RawMessage("false"), SeqNo: true, Retry: r.deps.Retry}
	switch {
	case pass.whole && !r.index.SourceDisabled:
		scan.Source = r.wholeSource()
	case len(fields) > 0 && !r.index.SourceDisabled:
		scan.Source, _ = json.Marshal(fields)
	}
	return r.scanHeld(ctx, r.pit, scan, func(int) func(elastic.Hit) error {
		return func(h elastic.Hit) error {
			state, err := r.table.State(ids.KeyOf(h.ID))
			if err != nil || state != ids.Unseen && state != ids.Excluded {
				return err
			}
			scope, title, known := r.describe(h)
			if r.job.Wants != nil && (!known || !r.job.Wants(scope)) {
				return nil
			}
			if r.scopes.isLeft(scope, known) {
				return nil // it may still exist
			}
			reason, verdict := plan.GoneFromSource, pass.overall
			if state == ids.Excluded {
				reason = plan.ExcludedByRule
			} else if verdict == "" || verdict == plan.EmptySource {
				// Of an empty source, what has vanished is as empty as the rest.
				own := r.scopes.verdict(scope, known)
				if own != "" && (own != plan.ScopeVanished || verdict == "" || r.scopes.isHidden(scope)) {
					verdict = own
				}
			}
			if verdict == plan.ScopeVanished {
				switch again := r.vanishedAgain(scope); {
				case again:
					reason, verdict = plan.VanishedTwice, ""
				case r.job.Guard.Confirmed >= 0:
					verdict = ""
				}
			}
			if verdict == plan.ScopeUnknown && r.job.Guard.Confirmed >= 0 {
				verdict = ""
			}
			c := plan.Change{
				Kind: plan.Delete, Reason: reason, ID: h.ID, Title: title, Part: scope, Routing: h.Routing,
				At: &plan.At{SeqNo: h.SeqNo, PrimaryTerm: h.PrimaryTerm},
			}
			if verdict == "" {
				if pass.whole {
					c.Source = h.Source
				}
				return eligible(c)
			}
			if pass.tell {
				r.withhold(verdict, c)
			}
			return nil
		}
	})
}

// describe tells the scope of a document of the index, and what people know it by.
func (r *run) describe(h elastic.Hit) (scope, title string, known bool) {
	t := &r.job.Type
	if t.ScopeOf == nil {
		return "", "", false
	}
	var fields map[string]any
	if len(t.ScopeFields) > 0 && json.Unmarshal(h.Source, &fields) != nil {
		return "", "", false
	}
	scope, known = t.ScopeOf(r.job.Values, fields)
	title, _ = fields[t.TitleField].(string)
	return scope, title, known
}

// delete deletes a document. One that came whole is kept first.
func (r *run) delete(ctx context.Context, c plan.Change) error {
	var err error
	if c.Source != nil {
		err = r.deps.Deleted.Put(docfile.Deletion{
			Schema: 1, Time: r.deps.Now().UTC(), Connector: r.job.Connector, Index: r.index.Name, ID: c.ID, Part: c.Part,
			Reason: string(c.Reason), Routing: c.Routing, Document: c.Source,
		})
		if err != nil {
			return err
		}
		c.Source = nil
	}
	if c.Grant, err = r.budget.Acquire(ctx, int64(len(c.ID)+overhead)); err != nil {
		return fmt.Errorf("delete %q: %w", c.ID, err)
	}
	return r.sink.Apply(ctx, c)
}

// told makes a report of a change.
func told(index string, c plan.Change) report.Change {
	return report.Change{
		Kind: c.Kind.String(), Reason: string(c.Reason), Index: index, ID: c.ID, Title: c.Title, Part: c.Part, First: c.First,
	}
}
