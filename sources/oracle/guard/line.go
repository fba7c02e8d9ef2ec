package guard

import "sync"

// line is the way to the server: what is being dialed, then a socket.
type line struct {
	mu     sync.Mutex
	end    func() // of what is dialed, or of the socket; nil while there is none
	broken error  // why it ended
}

// use takes the way to end what was begun. What was cut before is ended at once.
func (l *line) use(end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = end
	if l.broken != nil {
		end()
	}
}

// cut ends the line; the first reason stays.
func (l *line) cut(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return
	}
	l.broken = reason
	if l.end != nil {
		l.end()
	}
}

// hangUp ends what was begun, and keeps the line for what comes.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		l.end()
	}
}

// reason is why the line was cut; nil where it was not.
func (l *line) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// connected reports whether something was dialed.
func (l *line) connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end != nil
}
