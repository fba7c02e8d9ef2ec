package bulk

import (
	"context"
	"slices"
	"sync"
)

// limiter limits the number of requests in flight. A server that is too busy refuses requests; each refusal halves
// the number, and successful requests raise it again, one at a time. A request that waits for its retry is not in
// flight: it queues again, before requests that were never sent. Otherwise the requests in flight would keep the
// server busy until the others run out of patience.
type limiter struct {
	most int // the number of workers

	mu      sync.Mutex
	waiting []chan struct{} // closed when it is their turn
	now     int             // limit of requests in flight
	busy    int             // requests in flight
	passed  int             // successful requests since now changed
	age     int             // how often now has been halved
}

// enough is how many requests must succeed, for each one in flight, before the limit rises by one.
const enough = 8

func newLimiter(most int) *limiter { return &limiter{most: most, now: most} }

// enter waits for a turn and returns the age that leave needs. again means that the request was refused before.
func (l *limiter) enter(ctx context.Context, again bool) (age int, err error) {
	l.mu.Lock()
	if l.busy < l.now {
		l.busy++
		defer l.mu.Unlock()
		return l.age, nil
	}
	turn := make(chan struct{})
	at := len(l.waiting)
	if again {
		at = 0
	}
	l.waiting = slices.Insert(l.waiting, at, turn)
	l.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	} else if err != nil { // its turn came at the same moment
		l.busy--
		l.next()
	}
	return l.age, err
}

// leave ends a turn. refused means that the server was too busy; of the requests that were in flight together,
// only one refusal counts.
func (l *limiter) leave(age int, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	switch {
	case refused && age == l.age:
		l.now, l.passed = max(l.now/2, 1), 0
		l.age++
	case !refused && l.now < l.most:
		if l.passed++; l.passed >= enough*l.now {
			l.now, l.passed = l.now+1, 0
		}
	}
	l.next()
}

// next gives turns to waiting requests. The caller holds the lock.
func (l *limiter) next() {
	for l.busy < l.now && len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		l.busy++
	}
}
