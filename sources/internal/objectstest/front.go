package objectstest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Front stands before the answers of a store that a test makes up: it answers one request at a time, and keeps
// what was asked.
type Front struct {
	// Before answers in place of the store where it returns true.
	Before func(http.ResponseWriter, *http.Request) bool

	mu    sync.Mutex
	asked []*http.Request
}

// Answer answers a request by Before, or by store.
func (f *Front) Answer(w http.ResponseWriter, r *http.Request, store http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r)
	if f.Before == nil || !f.Before(w, r) {
		store(w, r)
	}
}

// Requests are those that were made until now.
func (f *Front) Requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// Change changes the store while nothing is answered.
func (f *Front) Change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// noListings are bodies with which something that is no store may answer, and say 200.
var noListings = map[string]string{
	"nothing": "", "blanks": " \n", "a page": "<html><head><title>Log in</title></head><body><p>Who are you?</p></body></html>",
	"an unclosed page": "<!DOCTYPE html><html><body><br>Log in", "text": "OK", "XML of another kind": `<?xml version="1.0"?><Result><Contents/></Result>`,
	"an error": "<Error><Code>AccessDenied</Code></Error>",
}

// NoListingFails answers a listing with what is none, such as the page of a proxy's login: list must not take it for
// an empty bucket.
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
			t.Errorf("%s: the bucket is taken for empty", name)
		}
	}
}

// BreaksOff answers with the beginning of a page.
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
