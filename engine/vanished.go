package engine

import (
	"maps"
	"slices"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// Vanished remembers, from one sync of an index to the next, which scopes were absent from a complete
// list. A scope that is absent twice in a row is taken for gone; once may be a right that was taken
// away for an hour. The zero value remembers nothing, so that all is withheld until it is confirmed.
type Vanished struct {
	// Load returns what was kept last, if it was kept with the same of.
	Load func(index, of string) ([]string, error)
	// Save keeps scopes in place of what was kept before.
	Save func(index, of string, scopes []string) error
}

// memoryOf says whose memory it is: another owner, or a new index of the same name, has none of it.
func (r *run) memoryOf() string { return r.job.Owner + " " + r.index.UUID }

// remembers reports whether the run takes part in the memory. One that reads only some parts, or only
// what changed, does not: it is no look at all of the source.
func (r *run) remembers() bool {
	return r.deps.Vanished.Load != nil && r.job.Wants == nil && !r.absent && r.changes == nil
}

// recallVanished learns what had vanished when the last sync ended. A sync forgets it at once: if it
// does not come to its own end, it may have seen a scope again without telling, and counting begins
// anew. A dry run only looks.
func (r *run) recallVanished() {
	if !r.remembers() {
		return
	}
	scopes, err := r.deps.Vanished.Load(r.index.Name, r.memoryOf())
	if err == nil && len(scopes) > 0 && !r.job.DryRun {
		err = r.deps.Vanished.Save(r.index.Name, r.memoryOf(), nil)
	}
	if err != nil {
		r.deps.Log.Warn("what had vanished in the last run is not known: what has vanished now is withheld", report.Err, err.Error())
		return
	}
	r.vanishedBefore = map[string]bool{}
	for _, scope := range scopes {
		r.vanishedBefore[scope] = true
	}
}

// vanishedAgain notes a scope that has vanished and reports whether it had in the last run as well. One
// that is only hidden has not.
func (r *run) vanishedAgain(scope string) bool {
	if r.scopes.isHidden(scope) {
		return false
	}
	if r.scopes.tree {
		scope = "" // what has vanished is the root, whatever folder the document was in
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vanished == nil {
		r.vanished = map[string]bool{}
	}
	r.vanished[scope] = true
	return r.vanishedBefore[scope]
}

// keepVanished tells the next sync what has vanished in this one, after the source was read to its end.
func (r *run) keepVanished() {
	if !r.remembers() || r.job.DryRun || len(r.vanished) == 0 {
		return
	}
	if err := r.deps.Vanished.Save(r.index.Name, r.memoryOf(), slices.Sorted(maps.Keys(r.vanished))); err != nil {
		r.deps.Log.Warn("what has vanished could not be remembered: the next run withholds it, too", report.Err, err.Error())
	}
}
