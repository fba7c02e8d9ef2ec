package bulk

import (
	"context"
	"slices"
	"sync"
)

// limiter is how many requests may be under way at the same time. A server that is too busy refuses
// what comes; each refusal halves the number, and requests that pass raise it again, one at a time. A
// request that waits to be sent again is not under way: it takes its turn anew, before those that were
// never sent. Otherwise the lucky ones would keep the server busy until its patience is over.
type limiter struct {
	most int // as many as there are workers

	mu      sync.Mutex
	waiting []chan struct{} // closed when it is their turn
	now     int             // may be under way
	busy    int             // are under way
	passed  int             // since now has changed
	age     int             // how often now has fallen
}

// enough is how many requests for each that may be under way have to pass before one more may be.
const enough = 8

func newLimiter(most int) *limiter { return &limiter{most: most, now: most} }

// enter waits for a turn; age is to be given back to leave. again tells that the request was refused
// before.
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
	} else if err != nil { // its turn has come all the same
		l.busy--
		l.next()
	}
	return l.age, err
}

// leave ends a turn. refused tells that the server was too busy; of requests that were under way
// together one refusal counts.
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

// next gives turns to those that wait. The lock is held.
func (l *limiter) next() {
	for l.busy < l.now && len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		l.busy++
	}
}
