package objectstest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
)

// Front receives the requests of a simulated store: it handles one at a time, and keeps them.
type Front struct {
	// Page is the most objects in a page.
	Page int
	// Before responds instead of the store if it returns true.
	Before func(http.ResponseWriter, *http.Request) bool

	store http.HandlerFunc

	mu       sync.Mutex
	requests []*http.Request
}

// ServeHTTP implements [http.Handler].
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r)
	if f.Before == nil || !f.Before(w, r) {
		f.store(w, r)
	}
}

// Listener is the front of a simulated store that embeds it.
func (f *Front) Listener() *Front { return f }

// Requests are those made so far.
func (f *Front) Requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Change changes the store while no request is handled.
func (f *Front) Change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// BreaksOff responds with the beginning of a page.
func BreaksOff(page string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write([]byte(page)) // the server ends the connection, since more was promised
		return true
	}
}

// BreakOffOnce returns a function after whose call the answer to the second request breaks off, and one that says how many did.
func (f *Front) BreakOffOnce(page string) (do func(), broken func() int) {
	asked, n := 0, 0
	do = func() {
		f.Change(func() {
			f.Before = func(w http.ResponseWriter, r *http.Request) bool {
				if asked++; asked != 2 {
					return false
				}
				n++
				return BreaksOff(page)(w, r)
			}
		})
	}
	broken = func() (all int) {
		f.Change(func() { all = n })
		return all
	}
	return do, broken
}

// Filled are the objects of a bucket, more than a page of a few holds.
func Filled(data string) map[string]string {
	objects := map[string]string{}
	for i := range 20 {
		objects[fmt.Sprintf("folder/%02d.txt", i)] = data
	}
	return objects
}
