package engine

import (
	"maps"
	"slices"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// Vanished remembers, from one sync of an index to the next, which scopes were missing from a complete list. A
// scope that is missing twice in a row is taken to be deleted; missing once may be a privilege revoked for an
// hour. The zero value remembers nothing, so that these deletes are held back until they are confirmed.
type Vanished struct {
	// Load returns the scopes saved last, if they were saved with the same of.
	Load func(index, of string) ([]string, error)
	// Save replaces the saved scopes.
	Save func(index, of string, scopes []string) error
}

// absences are the scopes missing from a complete list, in this run and in the one before.
type absences struct {
	*destination

	counts bool            // this run reads the complete source
	before map[string]bool // not changed while reading

	mu  sync.Mutex
	now map[string]bool
}

// remembers reports whether the run takes part in the memory. A run that reads only some parts, or only changes,
// does not, because it does not see the complete source.
func (a *absences) remembers() bool {
	return a.deps.Vanished.Load != nil && a.job.Wants == nil && !a.absent && a.counts
}

// recall loads the scopes that were missing at the end of the last sync. A sync clears the memory immediately: if
// it does not complete, it may have seen a scope again without recording it, and counting starts again. A dry run
// only reads.
func (a *absences) recall() {
	if !a.remembers() {
		return
	}
	scopes, err := a.deps.Vanished.Load(a.index.Name, a.memoryOf())
	if err == nil && len(scopes) > 0 && !a.job.DryRun {
		err = a.deps.Vanished.Save(a.index.Name, a.memoryOf(), nil)
	}
	if err != nil {
		a.deps.Log.Warn("cannot load which parts were missing in the last run; holding back the deletes of all missing parts", report.Err, err.Error())
		return
	}
	a.before = map[string]bool{}
	for _, scope := range scopes {
		a.before[scope] = true
	}
}

// again records a missing scope and reports whether it was missing in the last run as well. A scope that is only
// hidden does not count.
func (a *absences) again(scope string, s *scopes) bool {
	if s.isHidden(scope) {
		return false
	}
	if s.tree {
		scope = "" // the root is missing, whatever folder the document was in
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		a.now = map[string]bool{}
	}
	a.now[scope] = true
	return a.before[scope]
}

// keep saves the scopes that are missing in this sync for the next one, after the source was read completely.
func (a *absences) keep() {
	if !a.remembers() || a.job.DryRun || len(a.now) == 0 {
		return
	}
	if err := a.deps.Vanished.Save(a.index.Name, a.memoryOf(), slices.Sorted(maps.Keys(a.now))); err != nil {
		a.deps.Log.Warn("cannot save which parts are missing; the next run holds back their deletes as well", report.Err, err.Error())
	}
}
