package engine

import (
	"path"
	"sync"

	"github.com/elastic-ingest/elastic-ingest/engine/plan"
)

// scopes knows what was read to its end, which is what deletes are decided by: not that no error came, but
// that each part said so.
type scopes struct {
	mu         sync.Mutex
	tree       bool            // scopes are folders below ""
	listed     map[string]bool // flat scopes only: a tree may have millions of folders
	root       bool            // the tree's root was listed
	failed     map[string]bool
	hidden     map[string]bool // known to exist, and not to be seen
	left       map[string]bool // not read to their end for want of time
	complete   bool            // the list of parts said that it was at its end
	incomplete bool            // the list itself broke off
	open       int             // parts that began and neither ended nor failed nor were left
	held       int64           // documents that the index holds of parts that were read to their end
}

func (s *scopes) begin(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree {
		s.root = s.root || scope == ""
		return
	}
	if s.listed == nil {
		s.listed = map[string]bool{}
	}
	s.listed[scope] = true
}

// start notes a part that is going to be read.
func (s *scopes) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
}

// end notes a part that was read to its end; the index holds so many of its documents.
func (s *scopes) end(held int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.held += held
}

// heldOf is how many documents the index holds of parts that were read to their end.
func (s *scopes) heldOf() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// endList notes that all parts were listed.
func (s *scopes) endList() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete = true
}

// silent is how many parts began and never said what came of them.
func (s *scopes) silent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *scopes) hide(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden == nil {
		s.hidden = map[string]bool{}
	}
	s.hidden[scope] = true
}

func (s *scopes) isHidden(scope string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden[scope]
}

// leave notes a scope of which the next run reads so many parts.
func (s *scopes) leave(scope string, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open -= parts
	if s.left == nil {
		s.left = map[string]bool{}
	}
	s.left[scope] = true
}

// isLeft reports whether the next run has to say what became of a document: one of a scope that was
// left, or of a scope that cannot be told while some were left.
func (s *scopes) isLeft(scope string, known bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left[scope] || !known && len(s.left) > 0
}

// fail notes a part that was not read to its end.
func (s *scopes) fail(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.failed == nil {
		s.failed = map[string]bool{}
	}
	s.failed[scope] = true
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

// verdict says why an unseen document of a scope is not deleted, or "" when it is gone. known is
// false for a document whose scope cannot be told.
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

// treeVerdict knows that a folder which cannot be listed hides all below it, and that one which its
// parent, listed to its end, does not name is gone.
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
