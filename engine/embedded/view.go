package embedded

import "sync/atomic"

// view is a snapshot that searches share: the server holds that of the last refresh, a point in
// time the one it was opened on. The last user closes it.
type view struct {
	snap *snapshot
	refs atomic.Int32
}

func newView(snap *snapshot) *view {
	v := &view{snap: snap}
	v.refs.Store(1)
	return v
}

func (v *view) release() error {
	if v.refs.Add(-1) == 0 {
		return v.snap.close()
	}
	return nil
}

// current returns the state of the last refresh; release it.
func (s *Server) current() *view {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.view.refs.Add(1)
	return s.view
}

// refresh makes writes visible to searches, and durable. The caller holds no lock.
func (s *Server) refresh() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if !s.dirty {
		return nil
	}
	if err := s.store.sync(); err != nil {
		return storeFailed(err)
	}
	snap, err := s.store.snapshot()
	if err != nil {
		return storeFailed(err)
	}
	s.mu.Lock()
	old := s.view
	s.view, s.dirty = newView(snap), false
	s.mu.Unlock()
	if err := old.release(); err != nil {
		return storeFailed(err)
	}
	return nil
}
