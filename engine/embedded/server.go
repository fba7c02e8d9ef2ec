package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Options define what to open.
type Options struct {
	Dir        string // the folder of the store; "": memory, for tests
	CacheBytes int64  // memory for blocks and write buffers; 0: 64 MiB
	// ReadOnly refuses writes and leaves the folder unchanged, even if it does not exist: then the server is
	// an empty cluster.
	ReadOnly bool
	// Now returns the time, for points in time that expire and for took; nil: time.Now.
	Now func() time.Time
	// MaxBody is the largest request body in bytes; 0: 100 MiB, as in Elasticsearch.
	MaxBody int64
}

// Server answers requests over one store. It is safe for concurrent use.
type Server struct {
	store    *store
	readOnly bool
	now      func() time.Time
	maxBody  int64
	routes   []route
	buffers  sync.Pool // of *[]byte: request bodies

	writing sync.Mutex // held while documents or indices change; taken before mu

	mu      sync.RWMutex // guards what follows
	indices map[string]*index
	number  uint32 // the highest index number in use
	view    *view  // the state of the last refresh
	dirty   bool   // something was written since
	pits    map[string]*pit
	closed  bool
	running sync.WaitGroup
}

var _ http.Handler = (*Server)(nil)

// Open opens the store, and creates it if it does not exist and may be written. The error is ErrInUse if
// another process has it open.
func Open(o Options) (*Server, error) {
	return open(o, storeOptions{dir: o.Dir, cache: o.CacheBytes, readOnly: o.ReadOnly})
}

func open(o Options, so storeOptions) (*Server, error) {
	st, err := openStore(so)
	if err != nil {
		return nil, err
	}
	s := &Server{
		store: st, readOnly: o.ReadOnly, now: o.Now, maxBody: o.MaxBody,
		indices: map[string]*index{}, pits: map[string]*pit{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.maxBody <= 0 {
		s.maxBody = 100 << 20
	}
	s.routes = routes()
	if err := s.load(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return s, nil
}

// load reads the indices and makes all stored documents visible.
func (s *Server) load() error {
	format, err := s.store.get([]byte{spaceFormat})
	if err != nil {
		return fmt.Errorf("read the embedded store: %w", err)
	}
	if format == nil && !s.readOnly {
		b := s.store.batch()
		b.set([]byte{spaceFormat}, []byte(layoutFormat))
		if err := s.store.commit(b, true); err != nil {
			return fmt.Errorf("write the embedded store: %w", err)
		}
	}
	if format != nil && string(format) != layoutFormat && string(format) != olderFormat {
		return fmt.Errorf("the embedded store has layout %q, but this version supports layouts up to %q; use the version that wrote it, or remove the folder and sync again", format, layoutFormat)
	}
	err = s.store.scan(context.Background(), []byte{spaceIndex}, []byte{spaceIndex + 1}, func(key, value []byte) (bool, error) {
		ix, err := decodeIndex(string(key[1:]), value)
		if err != nil {
			return false, err
		}
		c, err := s.store.get(counterKey(ix.number))
		if err != nil {
			return false, err
		}
		if ix.counters, err = decodeCounters(c); err != nil {
			return false, err
		}
		s.indices[ix.name] = ix
		s.number = max(s.number, ix.number)
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("read the embedded store: %w", err)
	}
	snap, err := s.store.snapshot()
	if err != nil {
		return fmt.Errorf("read the embedded store: %w", err)
	}
	s.view = newView(snap)
	return nil
}

// Close waits for requests in progress, syncs everything to disk and closes the store. Later requests
// are refused.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	finished := make(chan struct{})
	go func() { // ends with the last request
		s.running.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-s.store.failed: // a request may hang with the store forever
		return s.store.close()
	}
	var errs []error
	for _, p := range s.pits {
		errs = append(errs, p.view.release())
	}
	errs = append(errs, s.view.release(), s.store.close())
	return errors.Join(errs...)
}

// enter counts a request, unless the server is closed.
func (s *Server) enter() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}
