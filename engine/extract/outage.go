package extract

import (
	"fmt"
	"sync"
	"time"
)

// minFailures is how often a service must fail before it counts as down: one or two documents that are
// too much for it are not enough.
const minFailures = 5

// outage records how long a service has been failing, so that a hundred thousand documents do not each wait
// for a dead service. Its methods are safe for concurrent use.
type outage struct {
	patience time.Duration // without a response until it counts as down
	probe    time.Duration // between two documents sent to a service that is down

	mu       sync.Mutex
	since    time.Time // of the first failure after the last response
	failures int       // since then
	answers  int64
	opened   bool
	next     time.Time // when it is tried again
	reason   error
}

// admit returns why a document is not sent, or nil. A service that is down gets one now and then, so
// that the others follow once it responds.
func (o *outage) admit(now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.opened || !now.Before(o.next) {
		o.next = now.Add(o.probe)
		return nil
	}
	return fmt.Errorf("the extraction service is down: %w", o.reason)
}

// down reports whether the service has failed for so long that documents no longer wait for it.
func (o *outage) down(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.isDown(now)
}

func (o *outage) isDown(now time.Time) bool {
	return o.failures >= minFailures && now.Sub(o.since) >= o.patience
}

// answered counts the responses, so that callers can see whether there was one since.
func (o *outage) answered() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answers
}

// failed records a failure. It reports whether the service counts as down from now on.
func (o *outage) failed(now time.Time, reason error) (opened bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == 0 {
		o.since = now
	}
	o.failures++
	if o.opened || !o.isDown(now) {
		return false
	}
	o.opened, o.reason, o.next = true, reason, now.Add(o.probe)
	return true
}

// succeeded records a response. It reports whether the service was down until now.
func (o *outage) succeeded() (closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	closed = o.opened
	o.answers++
	o.failures, o.opened = 0, false
	return closed
}
