package objectstest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Front is placed before the responses of a simulated store: it handles one request at a time, and keeps the requests.
type Front struct {
	// Before responds instead of the store if it returns true.
	Before func(http.ResponseWriter, *http.Request) bool

	mu    sync.Mutex
	asked []*http.Request
}

// Answer responds to a request with Before, or with store.
func (f *Front) Answer(w http.ResponseWriter, r *http.Request, store http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	if f.Before == nil || !f.Before(w, r) {
		store(w, r)
	}
}

// Requests are those made so far.
func (f *Front) Requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// Change changes the store while no request is handled.
func (f *Front) Change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// noListings are bodies with which a server that is not a store may respond with status 200.
var noListings = map[string]string{
	"nothing": "", "blanks": " \n", "a page": "<html><head><title>Log in</title></head><body><p>Who are you?</p></body></html>",
	"an unclosed page": "<!DOCTYPE html><html><body><br>Log in", "text": "OK", "XML of another kind": `<?xml version="1.0"?><Result><Contents/></Result>`,
	"an error": "<Error><Code>AccessDenied</Code></Error>",
}

// NoListingFails responds to a listing with something else, such as a proxy's login page: list must not take it for an
// empty bucket.
func NoListingFails(t *testing.T, f *Front, list func() error) {
	t.Helper()
	for name, answer := range noListings {
		f.Change(func() {
			f.Before = func(w http.ResponseWriter, _ *http.Request) bool {
				_, _ = w.Write([]byte(answer))
				return true
			}
		})
		if list() == nil {
			t.Errorf("%s: the bucket is considered empty", name)
		}
	}
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
