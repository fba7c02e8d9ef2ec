package engine

import (
	"path"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// scopes records what was read completely; deletes depend on it. The absence of an error is not enough: each part
// must confirm its end.
type scopes struct {
	mu         sync.Mutex
	tree       bool            // scopes are folders below ""
	listed     map[string]bool // flat scopes only: a tree may have millions of folders
	unread     map[string]int  // flat scopes only: parts of wanted scopes that are not read completely
	root       bool            // the tree's root was listed
	failed     map[string]bool
	hidden     map[string]bool // known to exist, but not visible
	left       map[string]bool // not read completely for lack of time
	complete   bool            // the list of parts confirmed its end
	incomplete bool            // the list itself ended early
	open       int             // parts that started and have not ended, failed or been left
	held       int64           // documents in the index of parts that were read completely
}

func (s *scopes) begin(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree {
		s.root = s.root || scope == ""
		return
	}
	add(&s.listed, scope)
}

// add adds a scope to a set, which is created with its first one.
func add(set *map[string]bool, scope string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[scope] = true
}

// start records a part that is about to be read.
func (s *scopes) start(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.parts(scope, 1)
}

// end records a part that was read completely, and how many of its documents the index holds.
func (s *scopes) end(scope string, held int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.held += held
	s.parts(scope, -1)
}

// parts counts the parts of a flat scope that are not read completely.
func (s *scopes) parts(scope string, n int) {
	if s.tree {
		return
	}
	if s.unread == nil {
		s.unread = map[string]int{}
	}
	s.unread[scope] += n
}

// read counts the wanted scopes, and those that were read completely. A tree does not keep the names of its folders:
// each of them is a part.
func (s *scopes) read(parts report.Snapshot) (done, wanted int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree {
		return parts.PartsDone, parts.Parts
	}
	for scope, n := range s.unread {
		if n == 0 && !s.failed[scope] {
			done++
		}
	}
	return done, int64(len(s.unread))
}

// heldOf is how many documents the index holds of parts that were read completely.
func (s *scopes) heldOf() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// endList records that all parts were listed.
func (s *scopes) endList() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete = true
}

// silent is how many parts started and never reported an outcome.
func (s *scopes) silent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *scopes) hide(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.hidden, scope)
}

func (s *scopes) isHidden(scope string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden[scope]
}

// leave records how many parts of a scope are left to the next run.
func (s *scopes) leave(scope string, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open -= parts
	add(&s.left, scope)
}

// isLeft reports whether the next run has to decide about a document: if its scope was left, or if its scope is
// unknown and some scope was left.
func (s *scopes) isLeft(scope string, known bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[scope] || !known && len(s.left) > 0
}

// fail records a part that was not read completely.
func (s *scopes) fail(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	add(&s.failed, scope)
}

// distrust records that a part, although it was read completely, may hold something else by now.
func (s *scopes) distrust(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.failed, scope)
}

func (s *scopes) breakOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.incomplete = true
}

func (s *scopes) isIncomplete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.incomplete
}

// verdict says why an unseen document of a scope is not deleted, or "" if it is gone. known is false for a
// document whose scope is unknown.
func (s *scopes) verdict(scope string, known bool) plan.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.incomplete, !s.complete:
		return plan.ListIncomplete
	case s.open != 0:
		return plan.ScopeFailed
	case !known && len(s.failed) > 0:
		return plan.ScopeFailed
	case !known:
		return plan.ScopeUnknown
	case s.tree:
		return s.treeVerdict(scope)
	case s.failed[scope]:
		return plan.ScopeFailed
	case !s.listed[scope]:
		return plan.ScopeVanished
	}
	return ""
}

// treeVerdict accounts for the tree: a folder that cannot be listed hides everything below it, and a folder is
// gone if its parent was listed completely and does not name it.
func (s *scopes) treeVerdict(scope string) plan.Reason {
	if !s.root {
		return plan.ScopeVanished
	}
	for len(s.failed) > 0 {
		if s.failed[scope] {
			return plan.ScopeFailed
		}
		if scope == "" {
			break
		}
		if scope = path.Dir(scope); scope == "." || scope == "/" {
			scope = ""
		}
	}
	return ""
}
