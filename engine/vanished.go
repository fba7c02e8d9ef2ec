package engine

import (
	"maps"
	"slices"
	"sync"

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

// absences are the scopes that are absent from a complete list, in this run and in the one before.
type absences struct {
	*destination

	counts bool            // this run is a look at all of the source
	before map[string]bool // not changed while reading

	mu  sync.Mutex
	now map[string]bool
}

// remembers reports whether the run takes part in the memory. One that reads only some parts, or only
// what changed, does not: it is no look at all of the source.
func (a *absences) remembers() bool {
	return a.deps.Vanished.Load != nil && a.job.Wants == nil && !a.absent && a.counts
}

// recall learns what had vanished when the last sync ended. A sync forgets it at once: if it
// does not come to its own end, it may have seen a scope again without telling, and counting begins
// anew. A dry run only looks.
func (a *absences) recall() {
	if !a.remembers() {
		return
	}
	scopes, err := a.deps.Vanished.Load(a.index.Name, a.memoryOf())
	if err == nil && len(scopes) > 0 && !a.job.DryRun {
		err = a.deps.Vanished.Save(a.index.Name, a.memoryOf(), nil)
	}
	if err != nil {
		a.deps.Log.Warn("what had vanished in the last run is not known: what has vanished now is withheld", report.Err, err.Error())
		return
	}
	a.before = map[string]bool{}
	for _, scope := range scopes {
		a.before[scope] = true
	}
}

// again notes a scope that has vanished and reports whether it had in the last run as well. One
// that is only hidden has not.
func (a *absences) again(scope string, s *scopes) bool {
	if s.isHidden(scope) {
		return false
	}
	if s.tree {
		scope = "" // what has vanished is the root, whatever folder the document was in
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		a.now = map[string]bool{}
	}
	a.now[scope] = true
	return a.before[scope]
}

// keep leaves to the next sync what has vanished in this one, after the source was read to its end.
func (a *absences) keep() {
	if !a.remembers() || a.job.DryRun || len(a.now) == 0 {
		return
	}
	if err := a.deps.Vanished.Save(a.index.Name, a.memoryOf(), slices.Sorted(maps.Keys(a.now))); err != nil {
		a.deps.Log.Warn("what has vanished could not be remembered: the next run withholds it, too", report.Err, err.Error())
	}
}
