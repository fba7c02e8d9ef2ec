package guard

import "sync"

// line is the connection to the server: first the dialing, then a socket.
type line struct {
	mu     sync.Mutex
	end    func() // ends the dialing, or the socket; nil while there is none
	broken error  // why it ended
}

// use sets how to end the line. If the line was cut before, it ends immediately.
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

// hangUp ends the current connection, but keeps the line for another.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.end != nil {
		l.end()
	}
}

// reason is why the line was cut; nil if it was not.
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
