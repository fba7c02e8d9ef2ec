package plan

import "sync"

// Parts numbers the parts of a source, so that the table needs only four bytes for a part's name.
type Parts struct {
	mu    sync.RWMutex
	names []string
}

// Add returns the number of the part.
func (p *Parts) Add(name string) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = append(p.names, name)
	return uint32(len(p.names) - 1)
}

// Name is the name of the part with that number.
func (p *Parts) Name(n uint32) string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.names[n]
}
